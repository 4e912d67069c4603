//! Diagnostics: what a user is told about their source.
//!
//! Every diagnostic is of a kind in the table [`codes`]; it carries a span, a message, usually a reason beside the span, notes, and a
//! way out, where possible as the text to write. Errors are collected over a whole run and printed together, in rustc's form. The
//! same error at the same place is kept once. An error that follows from another is not reported: expressions in error have the error
//! type, which fits everything, and what is missing because a file or macro was lost is not said to be missing.

pub mod codes;

use std::cell::RefCell;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level as Heading, Patch, Renderer, Snippet};

pub use codes::{Code, Level};

use crate::flow::{Note, Pos};
use crate::source::{FileId, SourceMap, Span};

/// Source text that would make it right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suggestion {
    /// What it does, as an instruction.
    pub message: String,
    /// What to replace, and by what; an empty span inserts.
    pub edits: Vec<(Span, String)>,
}

/// One thing said to the author.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// What kind.
    pub code: Code,
    /// Where; `None` for what belongs to no source file.
    pub span: Option<Span>,
    /// What is wrong, in one line.
    pub message: String,
    /// Beside the span: why.
    pub label: String,
    /// Further places with what they have to do with it.
    pub related: Vec<(Span, String)>,
    /// What else should be known.
    pub notes: Vec<String>,
    /// What would make it right.
    pub help: Option<String>,
    /// The same as source text.
    pub suggestion: Option<Suggestion>,
}

impl Diagnostic {
    /// A diagnostic at `span`.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { span: Some(span), ..Diagnostic::nowhere(code, message) }
    }

    /// A diagnostic that belongs to no source file.
    pub fn nowhere(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            span: None,
            message: message.into(),
            label: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            suggestion: None,
        }
    }

    /// Adds the text beside the span.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// Adds something else that should be known.
    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// Adds the way out.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Adds the way out as an edit of the source: `text` in place of `span`.
    pub fn suggest(self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Diagnostic {
        self.suggest_all(message, vec![(span, text.into())])
    }

    /// Adds the way out as several edits of the source.
    pub fn suggest_all(mut self, message: impl Into<String>, edits: Vec<(Span, String)>) -> Diagnostic {
        self.suggestion = Some(Suggestion { message: message.into(), edits });
        self
    }

    /// Adds a further place.
    pub fn related(mut self, span: Span, what: impl Into<String>) -> Diagnostic {
        self.related.push((span, what.into()));
        self
    }

    /// Whether both say the same of places one of which contains the other.
    fn repeats(&self, other: &Diagnostic) -> bool {
        let within = |a: Span, b: Span| a.file == b.file && a.lo <= b.lo && b.hi <= a.hi;
        let near = match (self.span, other.span) {
            (Some(a), Some(b)) => within(a, b) || within(b, a),
            (a, b) => a == b,
        };
        near && self.code == other.code && self.message == other.message
    }

    /// A note of the translation as a warning.
    pub fn from_note(note: &Note, sources: &SourceMap) -> Diagnostic {
        let mut out = Diagnostic::nowhere(note.code, note.message.as_str());
        out.span = span_at(sources, note.pos, note.width);
        out.help = (!note.help.is_empty()).then(|| note.help.clone());
        if let [_, .., _] = note.chain.as_slice() {
            out.notes.push(format!("the portal reaches it through {}", chain_text(&note.chain)));
        }
        out
    }

    /// In rustc's form, without colour.
    pub fn render(&self, sources: &SourceMap) -> String {
        self.render_with(sources, &Renderer::plain())
    }

    /// In rustc's form.
    pub fn render_with(&self, sources: &SourceMap, renderer: &Renderer) -> String {
        let heading = match self.code.level() {
            Level::Error => Heading::ERROR,
            Level::Warning => Heading::WARNING,
        };
        let mut group = Group::with_title(heading.primary_title(self.message.as_str()).id(self.code.id()));
        let mut places: Vec<(Span, &str, AnnotationKind)> = Vec::new();
        places.extend(self.span.map(|s| (s, self.label.as_str(), AnnotationKind::Primary)));
        places.extend(self.related.iter().map(|(s, l)| (*s, l.as_str(), AnnotationKind::Context)));
        let path = |span: Span| sources.file(span.file).path.display().to_string();
        let mut done: Vec<usize> = Vec::new();
        for (i, &(first, ..)) in places.iter().enumerate() {
            if done.contains(&i) {
                continue;
            }
            let text = &sources.file(first.file).text;
            let mut snippet = Snippet::source(text.as_str()).path(path(first));
            for (j, &(span, label, kind)) in places.iter().enumerate() {
                if span.file == first.file {
                    done.push(j);
                    snippet = snippet.annotation(kind.span(clip(span, text)).label(label));
                }
            }
            group = group.element(snippet);
        }
        for note in &self.notes {
            group = group.element(Heading::NOTE.message(note.as_str()));
        }
        if let Some(help) = &self.help {
            group = group.element(Heading::HELP.message(help.as_str()));
        }
        let mut groups = vec![group];
        if let Some(suggestion) = &self.suggestion
            && let [(first, _), ..] = suggestion.edits.as_slice()
        {
            let text = &sources.file(first.file).text;
            let mut snippet = Snippet::source(text.as_str()).path(path(*first));
            for (span, new) in suggestion.edits.iter().filter(|(span, _)| span.file == first.file) {
                snippet = snippet.patch(Patch::new(clip(*span, text), new.as_str()));
            }
            groups.push(Heading::HELP.secondary_title(suggestion.message.as_str()).element(snippet));
        }
        renderer.render(&groups).to_string()
    }
}

/// Functions, each called by the one before.
pub fn chain_text(chain: &[String]) -> String {
    chain.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" → ")
}

/// The range that begins at a position and has `width` bytes; a word or a character if the width is 0.
pub fn span_at(sources: &SourceMap, pos: Pos, width: u32) -> Option<Span> {
    if pos.line == 0 {
        return None;
    }
    let text = &sources.file(FileId(pos.file)).text;
    let line: usize = text.split_inclusive('\n').take(pos.line as usize - 1).map(str::len).sum();
    let rest = text.get(line..).unwrap_or_default();
    let column: usize = rest.chars().take(pos.column as usize - 1).map(char::len_utf8).sum();
    let lo = line + column;
    let word = || {
        let rest = text.get(lo..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        end.max(1) as u32
    };
    let width = if width == 0 { word() } else { width };
    Some(Span { file: FileId(pos.file), lo: lo as u32, hi: lo as u32 + width })
}

/// The span as a range of bytes that is valid in `text`.
fn clip(span: Span, text: &str) -> Range<usize> {
    let mut lo = (span.lo as usize).min(text.len());
    let mut hi = (span.hi as usize).clamp(lo, text.len());
    while !text.is_char_boundary(lo) {
        lo -= 1;
    }
    while !text.is_char_boundary(hi) {
        hi += 1;
    }
    lo..hi
}

/// The errors of a run.
#[derive(Default, Debug)]
pub struct Diagnostics {
    list: RefCell<Vec<Diagnostic>>,
}

impl Diagnostics {
    /// Adds an error, unless the same stands there already.
    pub fn push(&self, diagnostic: Diagnostic) {
        let mut list = self.list.borrow_mut();
        if !list.iter().any(|known| known.repeats(&diagnostic)) {
            list.push(diagnostic);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.borrow().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }

    /// The errors that a user should see, in the order of their places. Where items were lost, nothing is said about what may be
    /// missing only because of that.
    pub fn sorted(&self) -> Vec<Diagnostic> {
        let mut all = self.list.borrow().clone();
        if all.iter().any(|d| d.code.loses_items()) {
            all.retain(|d| !d.code.asks_for_items());
        }
        all.sort_by_key(|d| d.span);
        all
    }

    /// The errors after the first `len`.
    pub fn since(&self, len: usize) -> Vec<Diagnostic> {
        self.list.borrow().get(len..).unwrap_or_default().to_vec()
    }

    /// Takes errors back: what they are about is not an error after all.
    pub fn take_back(&self, errors: &[Diagnostic]) {
        self.list.borrow_mut().retain(|d| !errors.contains(d));
    }

    /// Forgets the errors after the first `len`: they belonged to an attempt that was given up.
    pub fn truncate(&self, len: usize) {
        self.list.borrow_mut().truncate(len);
    }

    /// All errors in rustc's form, with a blank line between two.
    pub fn render(&self, sources: &SourceMap) -> String {
        let all: Vec<String> = self.sorted().iter().map(|d| d.render(sources)).collect();
        all.join("\n\n")
    }
}
