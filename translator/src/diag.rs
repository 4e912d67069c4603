//! Diagnostics: what a user is told about their source.
//!
//! Every error is a row of the table below; it carries a span, a message, usually a reason beside the span, and a
//! way out. They are collected over a whole run and printed together, in rustc's form. The same error at the same place
//! is kept once.

use std::cell::RefCell;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::source::{SourceMap, Span};

macro_rules! define_errors {
    ($($variant:ident = $code:literal, $doc:literal;)*) => {
        /// What kind of error it is.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $doc] $variant,)*
        }
        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];
            /// The code as printed.
            pub fn id(self) -> &'static str {
                match self { $(Code::$variant => $code,)* }
            }
            /// What it means, in one sentence.
            pub fn doc(self) -> &'static str {
                match self { $(Code::$variant => $doc,)* }
            }
        }
    };
}

define_errors! {
    Manifest = "E0001", "The package's manifest is missing, unreadable, or names no crate root.";
    MissingFile = "E0002", "A module's file does not exist or cannot be read.";
    Syntax = "E0003", "The source is not Rust.";
    Cfg = "E0004", "A `cfg` condition is not understood.";
    Macro = "E0101", "A macro's definition is malformed, or none of its rules matches a use.";
    UnknownMacro = "E0102", "A macro is not known.";
    UnresolvedName = "E0103", "A name is not found in its scope.";
    Generics = "E0104", "Generic arguments do not fit what they are given to.";
    ConstValue = "E0105", "A constant that types or patterns depend on cannot be evaluated.";
    Mismatch = "E0201", "An expression's type is not the one its place wants.";
    CannotInfer = "E0202", "A type is not determined by what is known of it.";
    UnknownMethod = "E0203", "No method of this name is known for the type.";
    Ambiguous = "E0204", "Several candidates remain where Rust would have to choose one.";
    Unsatisfied = "E0205", "A type does not implement a trait that is required of it.";
    ArgumentCount = "E0206", "The number of arguments differs from that of parameters.";
    UnknownField = "E0207", "The type has no such field.";
    NotCallable = "E0208", "The called value is no function or closure.";
    BadCast = "E0209", "`as` does not convert between these types.";
    BadPattern = "E0210", "A pattern does not fit the type it is matched against.";
    BadOperand = "E0211", "The operator is not defined for its operands.";
    BadPlace = "E0212", "The expression cannot be assigned to, borrowed mutably, or dereferenced.";
    BadJump = "E0213", "`break`, `continue` or `?` stands where it has no target.";
    Unsupported = "E0301", "Rust that functions the tracer looks inside may not use.";
    Foreign = "E0302", "The code depends on something whose type the translator cannot see.";
    NoPortal = "E0401", "The crate has no portal.";
    PortalForm = "E0402", "A portal's body or signature is not of the required form.";
    PortalOption = "E0403", "An option of `portal` is unknown, missing, or names no parameter.";
    HintUse = "E0404", "A hint is unknown or stands where it has no meaning.";
    NotTraceable = "E0405", "A portal cannot be traced, or a module lacks its glue.";
}

/// One error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// What kind.
    pub code: Code,
    /// Where; `None` for errors that belong to no source file.
    pub span: Option<Span>,
    /// What is wrong, in one line.
    pub message: String,
    /// Beside the span: why.
    pub label: String,
    /// Further places with what they have to do with it.
    pub related: Vec<(Span, String)>,
    /// What would make it right.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            span: Some(span),
            message: message.into(),
            label: String::new(),
            related: Vec::new(),
            help: None,
        }
    }

    /// Adds the text beside the span.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// Adds the way out.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Adds a further place.
    pub fn related(mut self, span: Span, what: impl Into<String>) -> Diagnostic {
        self.related.push((span, what.into()));
        self
    }

    /// The error in rustc's form, without colour.
    pub fn render(&self, sources: &SourceMap) -> String {
        self.render_with(sources, &Renderer::plain())
    }

    /// The error in rustc's form.
    pub fn render_with(&self, sources: &SourceMap, renderer: &Renderer) -> String {
        let mut group =
            Group::with_title(Level::ERROR.primary_title(self.message.as_str()).id(self.code.id()));
        let mut places: Vec<(Span, &str, AnnotationKind)> = Vec::new();
        places.extend(self.span.map(|s| (s, self.label.as_str(), AnnotationKind::Primary)));
        places.extend(self.related.iter().map(|(s, l)| (*s, l.as_str(), AnnotationKind::Context)));
        let paths: Vec<String> =
            places.iter().map(|p| sources.file(p.0.file).path.display().to_string()).collect();
        let mut done: Vec<usize> = Vec::new();
        for (i, &(first, ..)) in places.iter().enumerate() {
            if done.contains(&i) {
                continue;
            }
            let text = &sources.file(first.file).text;
            let mut snippet = Snippet::source(text.as_str()).path(paths[i].as_str());
            for (j, &(span, label, kind)) in places.iter().enumerate() {
                if span.file == first.file {
                    done.push(j);
                    snippet = snippet.annotation(kind.span(clip(span, text)).label(label));
                }
            }
            group = group.element(snippet);
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group]).to_string()
    }
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
        if !list.contains(&diagnostic) {
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

    /// All errors in the order of their places.
    pub fn sorted(&self) -> Vec<Diagnostic> {
        let mut all = self.list.borrow().clone();
        all.sort_by_key(|d| d.span);
        all
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
