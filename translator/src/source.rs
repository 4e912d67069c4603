//! Source files and positions in them.
//!
//! proc-macro2 keeps its own table of parsed texts, one per thread, and its spans mean nothing without it. This map
//! is ours: a [`Span`] is a file and a range of byte offsets, valid in every thread, and is computed from a token
//! once, when a node of the typed program is made.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::index_type;
use crate::load::split::Body;

index_type!(/** A source file of the [`SourceMap`]. */ FileId, "file");

/// A range of bytes in a source file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub lo: u32,
    /// One past the last byte.
    pub hi: u32,
}

impl Span {
    /// The smallest range that covers both; `self` if they are in different files.
    pub fn to(self, end: Span) -> Span {
        if self.file != end.file {
            return self;
        }
        Span { file: self.file, lo: self.lo.min(end.lo), hi: self.hi.max(end.hi) }
    }
}

/// One file's text and line starts.
pub struct SourceFile {
    /// The path as a user should see it.
    pub path: PathBuf,
    /// The text.
    pub text: String,
    lines: Vec<u32>,
}

/// A position for people: both count from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineCol {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// All files of a translation.
#[derive(Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
    /// proc-macro2's name for a parsed text → our file, and the byte of it at which that text begins.
    parsed: RefCell<HashMap<String, (FileId, u32)>>,
    /// Bodies that are not parsed with their file, by the place of their opening braces.
    aside: HashMap<(FileId, u32), Body>,
}

impl SourceMap {
    /// Adds a file; its tokens are tied to it by [`SourceMap::tie`].
    pub fn add(&mut self, path: &Path, text: String) -> FileId {
        let mut lines = vec![0];
        lines.extend(text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(i, _)| i as u32 + 1));
        self.files.push(SourceFile { path: path.to_path_buf(), text, lines });
        FileId::new(self.files.len() - 1)
    }

    /// Records that the text which `token` was parsed from is that of `file` from byte `at` on.
    pub fn tie(&self, file: FileId, at: u32, token: proc_macro2::Span) {
        self.parsed.borrow_mut().insert(token.file(), (file, at));
    }

    /// Records that a function's body is parsed when it is asked for.
    pub(crate) fn set_aside(&mut self, file: FileId, body: Body) {
        self.aside.insert((file, body.range.start as u32), body);
    }

    /// The body whose opening brace is at a place, if it was set aside.
    pub(crate) fn aside(&self, brace: Span) -> Option<&Body> {
        self.aside.get(&(brace.file, brace.lo))
    }

    /// The ranges of a file's bodies that were set aside, in order.
    pub(crate) fn aside_in(&self, file: FileId) -> Vec<Range<usize>> {
        let of_file = self.aside.iter().filter(|((of, _), _)| *of == file);
        let mut ranges: Vec<Range<usize>> = of_file.map(|(_, body)| body.range.clone()).collect();
        ranges.sort_by_key(|range| range.start);
        ranges
    }

    /// The file.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.index()]
    }

    /// All files with their ids.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId::new(i), f))
    }

    /// Our form of a token's span; the start of the first file for a token that came from no file.
    pub fn span(&self, token: proc_macro2::Span) -> Span {
        match self.parsed.borrow().get(&token.file()) {
            Some(&(file, at)) => {
                let Range { start, end } = token.byte_range();
                Span { file, lo: at + start as u32, hi: at + end as u32 }
            }
            None => Span { file: FileId(0), lo: 0, hi: 0 },
        }
    }

    /// Line and column of the start of `span`.
    pub fn line_col(&self, span: Span) -> LineCol {
        let file = self.file(span.file);
        let line = file.lines.partition_point(|&start| start <= span.lo).max(1);
        let start = file.lines[line - 1] as usize;
        let before = file.text.get(start..span.lo as usize).unwrap_or("");
        LineCol { line: line as u32, column: before.chars().count() as u32 + 1 }
    }

    /// The text of a span.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.lo as usize..span.hi as usize).unwrap_or("")
    }
}
