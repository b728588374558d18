//! .
use ingest::*;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let out = std::path::PathBuf::from(std::env::args().nth(2).unwrap());
    ffmpeg::set_up(ffmpeg::Verbosity::Chatty);
    println!("{}", ffmpeg::build());
    let cancel = cancel::Cancel::new();
    let source = ffmpeg::Source::open(std::fs::File::open(path).unwrap(), cancel.flag()).unwrap();
    let info = probe::probe(&source).unwrap();
    println!("{info:?}");
    let plan = plan::Plan::new(&info, &plan::Ladder::shipped().unwrap(), plan::Toolbox { zscale: true, tonemap: true });
    println!("{plan:#?}");
    let (tx, rx) = std::sync::mpsc::sync_channel(16);
    let w = std::thread::spawn(move || {
        for m in rx {
            let (p, b) = match m {
                media::Message::Init { rendition, bytes, codecs } => { println!("{rendition} {codecs}"); (rendition.init().to_string(), bytes) },
                media::Message::Segment { rendition, number, bytes } => (rendition.segment(number).to_string(), bytes),
            };
            let p = out.join(p);
            std::fs::create_dir_all(p.parent().unwrap()).unwrap();
            std::fs::write(p, b).unwrap();
        }
    });
    println!("{:?}", media::run(source, &plan, tx, &cancel));
    w.join().unwrap();
}
