use metatrace::jit;

/// What the host keeps; its functions are called, not looked inside.
#[derive(Clone, Debug, Default)]
pub struct Host {
    pub calls: u64,
    pub limit: u64,
    pub notes: Vec<String>,
    /// How many values of types with a destructor were dropped.
    pub drops: i64,
}

impl Host {
    /// Another result at every call.
    #[jit::dont_look_inside]
    pub fn tick(&mut self) -> i64 {
        self.calls += 1;
        (self.calls * self.calls % 1000) as i64
    }

    /// Panics if there were more calls than the limit.
    #[jit::dont_look_inside]
    pub fn limited(&mut self, n: i64) -> i64 {
        self.calls += 1;
        assert!(n < 1 << 20, "{n} after {} calls is more than the host takes", self.calls);
        n + 1
    }

    /// Keeps a text.
    #[jit::dont_look_inside]
    pub fn note(&mut self, text: &str) {
        self.notes.push(text.to_string());
    }
}

/// A plain struct.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    pub x: i64,
    pub y: i64,
}

/// A value of a small language.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Pair(i32, u8),
    Named { at: u16, x: i64 },
}

/// A value whose layout Rust defines.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
pub enum Word {
    Nil,
    Int(i64),
    Float(f64),
    Pair { a: u8, b: i16 },
}

/// A value whose layout Rust does not define.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Dot,
    Circle(i64),
    Box { width: i32, height: u32 },
}

/// A record with fields of many widths.
#[derive(Clone, Debug)]
pub struct Record {
    pub small: i8,
    pub byte: u8,
    pub half: i16,
    pub word: u32,
    pub long: i64,
    pub flag: bool,
    pub letter: char,
    pub float: f64,
    pub single: f32,
    pub point: Point,
    pub array: [u16; 4],
    pub value: Value,
    pub option: Option<i64>,
}

/// All that a program works on but the accumulator.
#[derive(Clone, Debug)]
pub struct State {
    pub inputs: Vec<Point>,
    pub at: usize,
    /// The accumulator after each turn.
    pub results: Vec<i64>,
    pub log: Vec<u8>,
    pub cells: Vec<i64>,
    pub points: Vec<Point>,
    pub values: Vec<Value>,
    pub words: Vec<Word>,
    pub forms: [Form; 3],
    pub small: (u8, i16, u32),
    pub half: f32,
    pub record: Record,
    pub floats: [f64; 3],
    pub host: Host,
}

impl State {
    /// A state at the beginning of these inputs.
    pub fn new(inputs: Vec<Point>) -> State {
        let record = Record {
            small: -3,
            byte: 250,
            half: 300,
            word: 70_000,
            long: 5,
            flag: false,
            letter: 'a',
            float: 0.5,
            single: 1.25,
            point: Point { x: 3, y: 4 },
            array: [1, 2, 3, 65_535],
            value: Value::Nil,
            option: None,
        };
        State {
            inputs,
            at: 0,
            results: Vec::new(),
            log: Vec::new(),
            cells: vec![3, -1, 4, 1, -5, 9, 2, 6],
            points: vec![Point { x: 1, y: 2 }, Point { x: -3, y: 4 }, Point { x: 5, y: -6 }],
            values: vec![
                Value::Nil,
                Value::Bool(true),
                Value::Int(7),
                Value::Float(2.5),
                Value::Pair(-2, 9),
                Value::Named { at: 3, x: -4 },
            ],
            words: vec![Word::Nil, Word::Int(1), Word::Float(0.25), Word::Pair { a: 1, b: -2 }],
            forms: [Form::Dot, Form::Circle(2), Form::Box { width: -3, height: 4 }],
            small: (250, -300, 7),
            half: 0.5,
            record,
            floats: [0.0, 1.5, -2.25],
            host: Host::default(),
        }
    }
}

metatrace::glue!();
