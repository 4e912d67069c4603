use super::nodes::FunctionNode;

/// Something went wrong in the guest.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    DivisionByZero,
    NotAFunction(i64),
    StackOverflow,
}

/// The activation of a function.
pub struct Frame<'p> {
    pub slots: Vec<i64>,
    pub functions: &'p [FunctionNode],
    pub depth: usize,
}

metatrace::glue!();
