//! The file in which a translation keeps graphs for the next one.
//!
//! It belongs to one build (`OUT_DIR`): whatever it was made by or for that differs now makes it worthless, and it is written anew.
//! A file that cannot be read or written costs time, nothing else.

use std::path::Path;
use std::time::UNIX_EPOCH;

use metatrace_defs::image;
use metatrace_translator::load::cfg::Cfg;
use metatrace_translator::lower::cache::Cache;
use metatrace_translator::program::Program;

/// What the file at `path` keeps for this translation.
pub(crate) fn open(path: &Path, program: &Program, cfg: &Cfg) -> Cache {
    let kept = std::fs::read(path).unwrap_or_default();
    let manifests = program.manifests().join("\0");
    let conditions = format!("{cfg:?} {} {}", program.crate_name(), program.edition());
    Cache::new(program, &[translator().as_bytes(), manifests.as_bytes(), conditions.as_bytes()], &kept)
}

/// Keeps what the next translation may reuse. Written to a file of its own first: one that is cut short never has the name.
pub(crate) fn close(path: &Path, cache: &Cache) {
    let new = path.with_extension("new");
    let dir = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    // Without the file the next translation begins from nothing.
    _ = dir.and_then(|()| std::fs::write(&new, cache.to_bytes())).and_then(|()| std::fs::rename(&new, path));
}

/// What tells this translator from others: the version, and which executable it is part of.
fn translator() -> String {
    let file = std::env::current_exe().and_then(std::fs::metadata);
    let built = file.ok().map(|file| {
        let time = file.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        (file.len(), time.unwrap_or_default().as_nanos())
    });
    format!("{} {} {built:?}", env!("CARGO_PKG_VERSION"), image::VERSION)
}
