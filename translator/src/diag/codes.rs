//! The table of diagnostics: one row for each kind. Everything that is said about a kind comes from its row: the code, whether it
//! stops the translation, the title, and the page that `cargo xtask explain-error` prints.

/// How serious a diagnostic is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Level {
    /// The crate cannot be translated as it is.
    Error,
    /// The crate is translated, and something about it should be known.
    Warning,
}

impl Level {
    /// The word that begins a message.
    pub fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
        }
    }
}

macro_rules! define_codes {
    ($($variant:ident = $code:literal, $level:ident, $title:literal;)*) => {
        /// What kind of diagnostic it is.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }
        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];
            /// The code as printed.
            pub fn id(self) -> &'static str {
                match self { $(Code::$variant => $code,)* }
            }
            /// Whether it stops the translation.
            pub fn level(self) -> Level {
                match self { $(Code::$variant => Level::$level,)* }
            }
            /// What it means, in one sentence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }
            /// The page that explains it, in Markdown: why, an erroneous example, the corrected one.
            pub fn page(self) -> &'static str {
                match self { $(Code::$variant => include_str!(concat!("../../errors/", $code, ".md")),)* }
            }
            /// Whether an error of this kind means that items are not known that the author has written.
            pub fn loses_items(self) -> bool {
                use Code::{Dependency, Macro, MissingFile, Syntax, Cfg};
                matches!(self, MissingFile | Syntax | Cfg | Dependency | Macro)
            }
            /// Whether an error of this kind in a body says only that the translator cannot follow it, so that the function can be
            /// called instead. `unseen` is whether there are items that are not seen.
            pub fn is_limit(self, unseen: bool) -> bool {
                matches!(self, Code::Unsupported | Code::Foreign) || unseen && self.asks_for_items()
            }
            /// Whether an error of this kind may come from items that are not known.
            pub fn asks_for_items(self) -> bool {
                use Code::{CannotInfer, Foreign, NoPortal, UnknownMacro, UnknownMethod, UnresolvedName, Unsatisfied};
                matches!(
                    self,
                    UnresolvedName | UnknownMacro | UnknownMethod | Unsatisfied | CannotInfer | Foreign | NoPortal
                )
            }
            /// The code printed as `id`, in capitals or not.
            pub fn find(id: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.id().eq_ignore_ascii_case(id))
            }
        }
    };
}

define_codes! {
    Manifest = "E0001", Error, "The package's manifest is missing, unreadable, or names no crate root.";
    MissingFile = "E0002", Error, "A module's file does not exist, cannot be read, or contains itself.";
    Syntax = "E0003", Error, "The source is not Rust.";
    Cfg = "E0004", Error, "A `cfg` condition is not understood.";
    Dependency = "E0005", Error, "A crate is used that the manifest does not name, or whose source cannot be found.";
    TooDeep = "E0006", Error, "Source, types or instances are nested deeper than the translator follows.";
    Macro = "E0101", Error, "A macro is defined wrongly or twice, or none of its rules matches a use.";
    UnknownMacro = "E0102", Error, "A macro is not known.";
    UnresolvedName = "E0103", Error, "A name is not found in its scope.";
    Generics = "E0104", Error, "Generic arguments do not fit what they are given to.";
    ConstValue = "E0105", Error, "A constant that types or patterns depend on cannot be evaluated.";
    Mismatch = "E0201", Error, "An expression's type is not the one its place wants.";
    CannotInfer = "E0202", Error, "A type is not determined by what is known of it.";
    UnknownMethod = "E0203", Error, "No method of this name is known for the type.";
    Ambiguous = "E0204", Error, "Several candidates remain where Rust would have to choose one.";
    Unsatisfied = "E0205", Error, "A type does not implement a trait that is required of it.";
    ArgumentCount = "E0206", Error, "The number of arguments differs from that of parameters.";
    UnknownField = "E0207", Error, "The type has no such field.";
    NotCallable = "E0208", Error, "The called value is no function or closure.";
    BadCast = "E0209", Error, "`as` does not convert between these types.";
    BadPattern = "E0210", Error, "A pattern does not fit the type it is matched against.";
    BadOperand = "E0211", Error, "The operator is not defined for its operands.";
    BadPlace = "E0212", Error, "The expression cannot be assigned to, borrowed mutably, or dereferenced.";
    BadJump = "E0213", Error, "`break`, `continue` or `?` stands where it has no target.";
    Unsupported = "E0301", Error, "Rust that functions the tracer looks inside may not use.";
    Foreign = "E0302", Error, "The code depends on something whose type the translator cannot see.";
    NoPortal = "E0401", Error, "The crate has no portal.";
    PortalForm = "E0402", Error, "A portal's body or signature is not of the required form.";
    PortalOption = "E0403", Error, "An option of `portal` is unknown, missing, given twice, or names no parameter.";
    HintUse = "E0404", Error, "A hint is unknown, malformed, or stands where it has no meaning.";
    NotTraceable = "E0405", Error, "A portal cannot be traced: of what it works with, the generated code lacks the layout or a name.";
    MergePoint = "E0406", Error, "A portal has no merge point, a second one, or one that is not first in its loop.";
    BackEdge = "E0407", Error, "`can_enter_jit!` stands outside of a portal's loop.";
    Owner = "E0408", Error, "A portal's owner is missing, or not of a type that can own traces.";
    MissingGlue = "E0409", Error, "A module needs `metatrace::glue!()` and does not have it.";
    Called = "E0501", Warning, "A function cannot be looked inside and is called instead.";
    ReadByCalls = "E0502", Warning, "The layout of a type is not defined, so traces read it by calls.";
    Outside = "E0503", Warning, "A library of the interpreter takes no part in the translation.";
}
