//! What the interpreter works with: values, a trait of what can be added up, a stack for any kind of them.

#[macro_use]
mod macros;
mod stack;
mod value;

pub use stack::Stack;
pub use value::{Number, Value};

metatrace::glue!();

/// How much each kind of value counts.
pub const WEIGHTS: [i64; 4] = [1, 3, 5, 7];

/// What can be added up.
pub trait Sum: Copy {
    /// What changes nothing.
    const NOTHING: Self;

    /// Both together.
    fn plus(self, other: Self) -> Self;

    /// Itself, often.
    #[metatrace::jit::unroll_safe]
    fn times_four(self) -> Self {
        let twice = self.plus(self);
        twice.plus(twice).plus(Self::NOTHING)
    }
}

impl Sum for i64 {
    const NOTHING: i64 = 0;

    fn plus(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }
}

/// Half of a number, by a macro of this crate.
pub fn half(n: i64) -> i64 {
    number!(n / 2).get()
}
