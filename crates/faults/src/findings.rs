//! All that is wrong with what was given, where a start ends with the first of it.

use crate::AnyFault;

/// What a look at a configuration has found.
#[derive(Debug, Default)]
pub struct Findings {
    faults: Vec<AnyFault>,
    notes: Vec<String>,
    counted: Vec<String>,
}

impl Findings {
    /// What a step gave, or `None` and one fault more. What two steps say in the same words is told once.
    pub fn take<T>(&mut self, step: Result<T, impl Into<AnyFault>>) -> Option<T> {
        match step {
            Ok(given) => Some(given),
            Err(fault) => {
                let fault = fault.into();
                if !self.faults.iter().any(|other| other.line() == fault.line()) {
                    self.faults.push(fault);
                }
                None
            }
        }
    }

    /// Something that a start puts up with, and somebody ought to know.
    pub fn note(&mut self, what: String) {
        self.notes.push(what);
    }

    /// So many of `what`, in the singular, were looked at.
    pub fn count(&mut self, number: usize, what: &str) {
        let many = if number == 1 { "" } else { "s" };
        self.counted.push(format!("{number} {what}{many}"));
    }

    /// Faults, in the order in which they were found.
    pub fn into_faults(self) -> Vec<AnyFault> {
        self.faults
    }

    /// What a start puts up with.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What was looked at: `3 groups, 1 certificate`.
    pub fn counted(&self) -> String {
        self.counted.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fault;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Wrong(u8);

    impl Fault for Wrong {
        fn code(&self) -> &'static str {
            "WRONG"
        }
    }

    #[test]
    fn each_fault_is_told_once_and_in_order() {
        let mut findings = Findings::default();
        assert_eq!(findings.take(Ok::<_, Wrong>(7)), Some(7));
        for fault in [2, 1, 2] {
            assert_eq!(findings.take(Err::<(), _>(Wrong(fault))), None);
        }
        findings.count(1, "group");
        findings.count(0, "certificate");
        assert_eq!(findings.counted(), "1 group, 0 certificates");
        let lines: Vec<_> = findings.into_faults().iter().map(AnyFault::line).collect();
        assert_eq!(lines, ["WRONG: 2", "WRONG: 1"]);
    }
}
