//! Expressions by kind. Some are of another kind than asked for, so that errors and coercions come up.

use metatrace_generator::Random;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Float,
    Text,
    Bool,
    /// A list of integers without holes.
    List,
    /// A table with the fields `a`, `b` and `c`.
    Record,
    Object,
    /// A function of two integers with an integer result.
    Function,
}

pub(crate) const KINDS: [Kind; 8] =
    [Kind::Int, Kind::Float, Kind::Text, Kind::Bool, Kind::List, Kind::Record, Kind::Object, Kind::Function];

/// A variable in scope.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub name: String,
    pub kind: Kind,
    /// Whether it may be assigned to.
    pub is_mutable: bool,
}

const INTS: [&str; 16] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "7",
    "10",
    "63",
    "64",
    "255",
    "1000003",
    "0x7fffffff",
    "-0x80000000",
    "math.maxinteger",
    "math.mininteger",
    "(1 << 62)",
];
const FLOATS: [&str; 12] =
    ["0.0", "1.0", "-0.5", "2.5", "3.0", "1e15", "-1e100", "0.1", "(1 / 3)", "2^53", "math.pi", "1e-7"];
const TEXTS: [&str; 12] = [
    "''",
    "'a'",
    "'10'",
    "'0x1F'",
    "' 7 '",
    "'hello world'",
    "'2.5'",
    "'x=1, y=22'",
    "'\\0\\1'",
    "'abcabc'",
    "'1e1'",
    "'\\u{e9}t\\u{e9}'",
];
const PATTERNS: [&str; 12] = [
    "'%d+'",
    "'%a'",
    "'(%w+)=(%w+)'",
    "'.-b'",
    "'^h'",
    "'o$'",
    "'[a-c]+'",
    "'%s'",
    "'%f[%w]%w+'",
    "'()l'",
    "'%b()'",
    "'x*'",
];
const FORMATS: [&str; 9] = ["'%d'", "'%5d|'", "'%x'", "'%g'", "'%.3f'", "'%s'", "'%-6s|'", "'%q'", "'%i %%'"];

/// Writes expressions over the variables in scope.
pub(crate) struct Expressions<'a> {
    pub random: &'a mut Random,
    pub scope: &'a [Variable],
}

impl Expressions<'_> {
    fn pick(&mut self, of: &[&str]) -> String {
        (*self.random.pick(of)).to_string()
    }

    fn variable(&mut self, kind: Kind) -> Option<String> {
        let fitting: Vec<&Variable> = self.scope.iter().filter(|variable| variable.kind == kind).collect();
        (!fitting.is_empty()).then(|| self.random.pick(&fitting).name.clone())
    }

    /// An expression; `depth` bounds how deep it is.
    pub fn any(&mut self, depth: usize) -> String {
        let kind = *self.random.pick(&KINDS);
        self.of(kind, depth)
    }

    /// An operand that should be of a kind.
    fn operand(&mut self, kind: Kind, depth: usize) -> String {
        if self.random.chance(2) { self.any(depth) } else { self.of(kind, depth) }
    }

    /// An expression of a kind.
    pub fn of(&mut self, kind: Kind, depth: usize) -> String {
        if depth == 0 || self.random.chance(30) {
            if let Some(name) = self.variable(kind) {
                return name;
            }
        }
        let deeper = depth.saturating_sub(1);
        match kind {
            Kind::Int => self.int(depth, deeper),
            Kind::Float => self.float(depth, deeper),
            Kind::Text => self.text(depth, deeper),
            Kind::Bool => self.bool(depth, deeper),
            Kind::List => self.list(deeper),
            Kind::Record => {
                let (a, b, c) = (self.int(deeper, 0), self.text(deeper, 0), self.float(deeper, 0));
                format!("{{ a = {a}, b = {b}, c = {c} }}")
            }
            Kind::Object => self.object(depth, deeper),
            Kind::Function => {
                let body =
                    self.pick(&["a + b", "a - b", "a * 3 + b", "a ~ b", "a < b and a or b", "b & 255"]);
                format!("function(a, b) return {body} end")
            }
        }
    }

    /// An integer, which nothing turns into a float.
    fn int(&mut self, depth: usize, deeper: usize) -> String {
        if depth == 0 {
            return self.pick(&INTS);
        }
        match self.random.below(14) {
            0 | 1 => self.pick(&INTS),
            2..=6 => {
                let (a, b) = (self.of(Kind::Int, deeper), self.of(Kind::Int, deeper));
                let op = self.pick(&["+", "-", "*", "&", "|", "~", "<<", ">>", "//", "%"]);
                format!("({a} {op} {b})")
            }
            7 => format!("#{}", self.pick(&["'abc'", "{ 1, 2 }"])),
            8 => match self.variable(Kind::List) {
                Some(list) => format!("({list}[{}] or {})", self.int(deeper, 0), self.random.below(50)),
                None => self.pick(&INTS),
            },
            9 => match self.variable(Kind::Function) {
                Some(function) => {
                    let (a, b) = (self.int(deeper, 0), self.int(deeper, 0));
                    format!("{function}({a}, {b})")
                }
                None => self.pick(&INTS),
            },
            10 => format!("(math.tointeger({}) or 4)", self.operand(Kind::Float, deeper)),
            11 => {
                let (a, b) = (self.of(Kind::Int, deeper), self.of(Kind::Int, deeper));
                let function = self.pick(&["math.max", "math.min"]);
                format!("{function}({a}, {b})")
            }
            12 => {
                let (c, a, b) =
                    (self.of(Kind::Bool, deeper), self.of(Kind::Int, deeper), self.of(Kind::Int, deeper));
                format!("({c} and {a} or {b})")
            }
            _ => format!("(({}):byte({}) or 9)", self.of(Kind::Text, deeper), self.int(0, 0)),
        }
    }

    fn float(&mut self, depth: usize, deeper: usize) -> String {
        if depth == 0 {
            return self.pick(&FLOATS);
        }
        match self.random.below(8) {
            0 => self.pick(&FLOATS),
            1..=3 => {
                let (a, b) = (self.operand(Kind::Float, deeper), self.operand(Kind::Int, deeper));
                let op = self.pick(&["+", "-", "*", "/"]);
                format!("({a} {op} {b})")
            }
            4 => {
                let (a, b) = (self.operand(Kind::Float, deeper), self.operand(Kind::Float, deeper));
                let op = self.pick(&["//", "%", "+", "*"]);
                format!("({a} {op} {b})")
            }
            5 => {
                let function = self.pick(&["math.abs", "math.sqrt", "math.floor", "math.ceil"]);
                format!("({function}({}) + 0.5)", self.operand(Kind::Float, deeper))
            }
            6 => format!("(-({}))", self.operand(Kind::Float, deeper)),
            _ => match self.variable(Kind::Record) {
                Some(record) => format!("{record}.c"),
                None => self.pick(&FLOATS),
            },
        }
    }

    fn text(&mut self, depth: usize, deeper: usize) -> String {
        if depth == 0 {
            return self.pick(&TEXTS);
        }
        let base = self.of(Kind::Text, deeper);
        match self.random.below(11) {
            0 => self.pick(&TEXTS),
            1 | 2 => {
                let other = if self.random.chance(50) {
                    self.of(Kind::Int, deeper)
                } else {
                    self.of(Kind::Text, deeper)
                };
                format!("(({base} .. {other}):sub(1, 60))")
            }
            3 => format!("({base}):sub({}, {})", self.int(deeper, 0), self.int(0, 0)),
            4 => format!("({base}):{}()", self.pick(&["upper", "lower", "reverse"])),
            5 => format!("({base}):rep({})", self.random.below(4)),
            6 => {
                let pattern = self.pick(&PATTERNS);
                let by = self.pick(&["'<%0>'", "''", "'-'", "{ a = 'A' }", "string.upper"]);
                format!("(({base}):gsub({pattern}, {by}))")
            }
            7 => {
                let pattern = self.pick(&PATTERNS);
                format!("tostring((({base}):{}({pattern})))", self.pick(&["match", "find"]))
            }
            8 => {
                let format = self.pick(&FORMATS);
                format!("({format}):format({})", self.operand(Kind::Int, deeper))
            }
            9 => format!("tostring({})", self.operand(Kind::Int, deeper)),
            _ => format!("type({})", self.any(deeper)),
        }
    }

    fn bool(&mut self, depth: usize, deeper: usize) -> String {
        if depth == 0 {
            return self.pick(&["true", "false"]);
        }
        match self.random.below(6) {
            0 | 1 => {
                let kind = *self.random.pick(&[Kind::Int, Kind::Float, Kind::Text, Kind::Object]);
                let (a, b) = (self.operand(kind, deeper), self.operand(kind, deeper));
                let op = self.pick(&["<", "<=", ">", ">=", "==", "~="]);
                format!("({a} {op} {b})")
            }
            2 => {
                let (a, b) = (self.of(Kind::Int, deeper), self.of(Kind::Float, deeper));
                let op = self.pick(&["<", "<=", ">", "=="]);
                format!("({a} {op} {b})")
            }
            3 => format!("not {}", self.any(deeper)),
            4 => {
                let (a, b) = (self.any(deeper), self.any(deeper));
                format!("({a} == {b})")
            }
            _ => {
                let (a, b) = (self.of(Kind::Bool, deeper), self.of(Kind::Bool, deeper));
                let op = self.pick(&["and", "or"]);
                format!("({a} {op} {b})")
            }
        }
    }

    fn list(&mut self, deeper: usize) -> String {
        let count = self.random.below(5);
        let items: Vec<String> = (0..count).map(|_| self.int(deeper, 0)).collect();
        format!("{{ {} }}", items.join(", "))
    }

    fn object(&mut self, depth: usize, deeper: usize) -> String {
        if depth == 0 || self.random.chance(40) {
            return format!("object({})", self.int(deeper, 0));
        }
        let (a, b) = (self.of(Kind::Object, deeper), self.operand(Kind::Int, deeper));
        let op = self.pick(&["+", "-", "*", "//", "%", "&"]);
        match self.random.below(3) {
            0 => format!("({a} {op} {b})"),
            1 => format!("({b} {op} {a})"),
            _ => format!("({a}):set({b})"),
        }
    }
}
