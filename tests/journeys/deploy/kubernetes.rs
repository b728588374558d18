//! The Kustomize base: objects of the kinds that Kubernetes knows, which fit each other, and programs that take their arguments.

use journeys::{airclass, ingest, project};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{
    Container, Namespace, PersistentVolumeClaim, PodTemplateSpec, Service, ServiceAccount,
};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn base() -> PathBuf {
    project().join("deploy/kubernetes")
}

fn documents(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let read = serde_norway::Deserializer::from_str(&text).map(serde::Deserialize::deserialize);
    read.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Everything that `part` says is said by `whole`, too.
fn is_within(part: &Value, whole: &Value, at: &str) {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            for (key, value) in part {
                let at = format!("{at}.{key}");
                is_within(
                    value,
                    whole.get(key).unwrap_or_else(|| panic!("{at} is unknown to Kubernetes")),
                    &at,
                );
            }
        }
        (Value::Array(part), Value::Array(whole)) if part.len() == whole.len() => {
            part.iter().zip(whole).for_each(|(part, whole)| is_within(part, whole, at));
        }
        _ => assert_eq!(part, whole, "{at}"),
    }
}

/// `document` as a `T`, of which nothing is left over.
fn strict<T: DeserializeOwned + Serialize>(document: &Value) -> T {
    let name = format!("{} {}", document["kind"], document["metadata"]["name"]);
    let read: T = serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    is_within(document, &serde_json::to_value(&read).unwrap(), &name);
    read
}

/// Something that runs pods.
struct Work {
    name: String,
    selector: LabelSelector,
    template: PodTemplateSpec,
    claims: Vec<String>,
}

#[derive(Default)]
struct Objects {
    works: Vec<Work>,
    services: Vec<Service>,
    claims: BTreeSet<String>,
    others: usize,
}

impl Objects {
    fn read() -> Self {
        let mut objects = Self::default();
        for file in listed("resources").iter().filter(|name| name.ends_with(".yaml")) {
            documents(&base().join(file)).iter().for_each(|document| objects.take(document));
        }
        objects
    }

    fn take(&mut self, document: &Value) {
        let name = document["metadata"]["name"].as_str().expect("objects have names").to_owned();
        match (document["apiVersion"].as_str().unwrap(), document["kind"].as_str().unwrap()) {
            ("apps/v1", "Deployment") => {
                let spec = strict::<Deployment>(document).spec.unwrap();
                self.works.push(Work {
                    name,
                    selector: spec.selector,
                    template: spec.template,
                    claims: vec![],
                });
            }
            ("apps/v1", "DaemonSet") => {
                let spec = strict::<DaemonSet>(document).spec.unwrap();
                self.works.push(Work {
                    name,
                    selector: spec.selector,
                    template: spec.template,
                    claims: vec![],
                });
            }
            ("apps/v1", "StatefulSet") => {
                let spec = strict::<StatefulSet>(document).spec.unwrap();
                let claims = spec.volume_claim_templates.unwrap_or_default();
                let claims = claims.into_iter().filter_map(|claim| claim.metadata.name).collect();
                self.works.push(Work { name, selector: spec.selector, template: spec.template, claims });
            }
            ("v1", "Service") => self.services.push(strict(document)),
            ("v1", "PersistentVolumeClaim") => {
                strict::<PersistentVolumeClaim>(document);
                self.claims.insert(name);
            }
            ("v1", "Namespace") => self.other(strict::<Namespace>(document)),
            ("v1", "ServiceAccount") => self.other(strict::<ServiceAccount>(document)),
            ("policy/v1", "PodDisruptionBudget") => self.other(strict::<PodDisruptionBudget>(document)),
            ("networking.k8s.io/v1", "NetworkPolicy") => self.other(strict::<NetworkPolicy>(document)),
            ("rbac.authorization.k8s.io/v1", "Role") => self.other(strict::<Role>(document)),
            ("rbac.authorization.k8s.io/v1", "RoleBinding") => self.other(strict::<RoleBinding>(document)),
            other => panic!("{other:?} {name} is not looked at"),
        }
    }

    fn other<T>(&mut self, _: T) {
        self.others += 1;
    }
}

/// Names in a list of the kustomization.
fn listed(key: &str) -> Vec<String> {
    let kustomization = &documents(&base().join("kustomization.yaml"))[0];
    let names = kustomization[key].as_array().unwrap().iter();
    names.map(|name| name.as_str().unwrap_or_default().to_owned()).collect()
}

fn generated() -> BTreeMap<String, Vec<PathBuf>> {
    let folders = [base(), project().join("deploy/prometheus")];
    let mut maps = BTreeMap::new();
    for folder in folders {
        let kustomization = &documents(&folder.join("kustomization.yaml"))[0];
        for map in kustomization["configMapGenerator"].as_array().unwrap() {
            let files =
                map["files"].as_array().unwrap().iter().map(|file| folder.join(file.as_str().unwrap()));
            maps.insert(map["name"].as_str().unwrap().to_owned(), files.collect());
        }
    }
    maps
}

#[test]
fn the_base_names_every_file_and_no_other() {
    let named = listed("resources");
    for name in &named {
        assert!(base().join(name).exists(), "{name}");
    }
    for file in std::fs::read_dir(base()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let known = name == "kustomization.yaml" || !name.ends_with(".yaml") || named.contains(&name);
        assert!(known, "{name} is in no kustomization");
    }
    for files in generated().values() {
        assert!(files.iter().all(|file| file.is_file()), "{files:?}");
    }
}

#[test]
fn objects_are_what_kubernetes_knows_and_fit_each_other() {
    let objects = Objects::read();
    let told = std::fs::read_to_string(project().join("deploy/README.md")).unwrap();
    let (maps, mut yours) = (generated(), BTreeSet::new());
    for Work { name, selector, template, claims } in &objects.works {
        let labels =
            template.metadata.as_ref().and_then(|metadata| metadata.labels.clone()).unwrap_or_default();
        let wanted = selector.match_labels.clone().unwrap_or_default();
        assert!(
            !wanted.is_empty() && wanted.iter().all(|(key, value)| labels.get(key) == Some(value)),
            "{name}"
        );
        let pod = template.spec.as_ref().unwrap();
        let security = pod.security_context.as_ref().unwrap();
        assert_eq!(security.run_as_non_root, Some(true), "{name} may run as root");
        let mut volumes: BTreeSet<_> = claims.iter().cloned().collect();
        for volume in pod.volumes.iter().flatten() {
            volumes.insert(volume.name.clone());
            if let Some(map) = volume.config_map.as_ref().map(|map| &map.name)
                && !maps.contains_key(map)
            {
                yours.insert(format!("config map `{map}`"));
            }
            yours.extend(volume.secret.iter().filter_map(|secret| secret.secret_name.clone()));
            if let Some(claim) = &volume.persistent_volume_claim {
                assert!(objects.claims.contains(&claim.claim_name), "{name}: no claim {}", claim.claim_name);
            }
        }
        for container in pod.containers.iter().chain(pod.init_containers.iter().flatten()) {
            let at = format!("{name}/{}", container.name);
            for mount in container.volume_mounts.iter().flatten() {
                assert!(volumes.contains(&mount.name), "{at}: no volume {}", mount.name);
            }
            let held = container.security_context.as_ref().unwrap();
            assert_eq!(
                (held.allow_privilege_escalation, held.read_only_root_filesystem),
                (Some(false), Some(true)),
                "{at}"
            );
            for from in container.env_from.iter().flatten() {
                yours.extend(from.secret_ref.as_ref().map(|secret| secret.name.clone()));
            }
        }
        for container in &pod.containers {
            let limits = container.resources.as_ref().and_then(|resources| resources.limits.clone());
            assert!(
                limits.is_some_and(|limits| limits.contains_key("memory")),
                "{name} has no bound of memory"
            );
        }
    }
    for service in &objects.services {
        let name = service.metadata.name.as_deref().unwrap();
        let spec = service.spec.as_ref().unwrap();
        let selector = spec.selector.clone().unwrap();
        let work = objects.works.iter().find(|work| work.selector.match_labels.as_ref() == Some(&selector));
        let work = work.unwrap_or_else(|| panic!("{name} is for nobody"));
        let containers = &work.template.spec.as_ref().unwrap().containers;
        let ports: BTreeSet<_> = containers
            .iter()
            .flat_map(|one| one.ports.iter().flatten())
            .collect::<Vec<_>>()
            .into_iter()
            .filter_map(|port| port.name.clone())
            .collect();
        for port in spec.ports.iter().flatten() {
            let target = serde_json::to_value(&port.target_port).unwrap();
            assert!(target.as_str().is_some_and(|target| ports.contains(target)), "{name}: {target}");
        }
    }
    // What an overlay has to bring stands in the page.
    for name in yours {
        assert!(
            told.contains(&format!("`{}`", name.trim_start_matches("config map `").trim_end_matches('`'))),
            "{name} is told nowhere"
        );
    }
    assert!(objects.works.len() >= 9 && objects.others > 10);
}

#[test]
fn programs_take_the_arguments_of_manifests_and_units() {
    let takes = |image: &str, words: Vec<String>| {
        // What Kubernetes and systemd put in, and then only asked whether it is understood.
        let plain = |word: &String| {
            word.replace("$(HOST)", "127.0.0.1").replace("$(NODE)", "a").replace("$(NAME)", "a")
        };
        let words: Vec<_> = words.iter().map(plain).chain(["--help".to_owned()]).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let told = if image == "airclass" { airclass(&words) } else { ingest(&words) };
        assert_eq!(told.code(), Some(0), "{words:?}: {}", told.stderr);
    };
    let containers =
        Objects::read().works.into_iter().flat_map(|work| work.template.spec.unwrap().containers);
    let mut tried = 0;
    for Container { image, args, .. } in containers {
        let image = image.unwrap();
        if matches!(image.as_str(), "airclass" | "airclass-ingest") {
            takes(&image, args.unwrap());
            tried += 1;
        }
    }
    for file in std::fs::read_dir(project().join("deploy/systemd")).unwrap() {
        let path = file.unwrap().path();
        let unit = if path.is_file() { std::fs::read_to_string(&path).unwrap() } else { continue };
        let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/")).unwrap();
        let mut words = line.split(' ').filter(|word| !word.starts_with('$')).map(str::to_owned);
        let program = words.next().unwrap();
        if matches!(program.as_str(), "airclass" | "airclass-ingest") {
            takes(&program, words.collect());
            tried += 1;
        }
    }
    assert!(tried >= 12, "{tried}");
}

/// An edge was killed after 40 seconds that closes in 52 where its folders hang.
#[test]
fn pods_have_as_long_to_end_as_units() {
    // What Kubernetes gives to a pod that says nothing.
    const GIVEN: i64 = 30;
    let seconds = |program: &str| {
        let unit =
            std::fs::read_to_string(project().join(format!("deploy/systemd/airclass-{program}.service")));
        let unit = unit.ok()?;
        let said = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")?.strip_suffix('s'))?;
        Some(said.parse::<i64>().unwrap())
    };
    let mut compared = 0;
    for Work { name, template, .. } in Objects::read().works {
        let spec = template.spec.unwrap();
        let given = spec.termination_grace_period_seconds.unwrap_or(GIVEN);
        for Container { args, .. } in spec.containers {
            let first = args.into_iter().flatten().next().unwrap_or_default();
            let program = if first == "work" { "ingest" } else { first.as_str() };
            if let Some(wanted) = seconds(program) {
                assert!(given >= wanted, "{name}: {given} seconds, {program} may need {wanted}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 5, "{compared}");
}

#[test]
fn nats_takes_its_configuration() {
    let tried =
        Command::new("nats-server").args(["-t", "-c"]).arg(base().join("nats.conf")).output().unwrap();
    assert!(tried.status.success(), "{tried:?}");
    let garage = std::fs::read_to_string(base().join("garage.toml")).unwrap();
    assert!(garage.parse::<toml::Table>().is_ok());
}

#[test]
fn the_container_file_copies_what_is_there() {
    let text = std::fs::read_to_string(project().join("deploy/container/Containerfile")).unwrap();
    for line in text.lines().filter(|line| line.starts_with("COPY ") && !line.contains("--from")) {
        let words: Vec<_> = line.split(' ').skip(1).collect();
        for from in &words[..words.len() - 1] {
            assert!(project().join(from).exists(), "{from}");
        }
    }
    for image in ["airclass", "airclass-ingest"] {
        let stage = text.split("FROM ").find(|stage| stage.contains(&format!(" AS {image}\n"))).unwrap();
        assert!(
            stage.contains("USER 65532:65532") && stage.contains(&format!("[\"/usr/bin/{image}\"]")),
            "{image}"
        );
    }
}
