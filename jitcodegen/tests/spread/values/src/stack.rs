use crate::Sum;

metatrace::glue!();

/// A stack, of which nobody else sees what it is made of.
#[derive(Debug)]
pub struct Stack<T: Copy> {
    items: Vec<T>,
    deepest: usize,
}

impl<T: Copy> Stack<T> {
    /// An empty one.
    pub fn new() -> Stack<T> {
        Stack { items: Vec::new(), deepest: 0 }
    }

    /// Puts an item on it.
    pub fn push(&mut self, item: T) {
        self.items.push(item);
        self.measure();
    }

    /// Takes one from it.
    pub fn pop(&mut self) -> Option<T> {
        self.items.pop()
    }

    /// How deep it was.
    pub fn deepest(&self) -> usize {
        self.deepest
    }

    fn measure(&mut self) {
        if self.items.len() > self.deepest {
            self.deepest = self.items.len();
        }
    }
}

impl<T: Sum> Stack<T> {
    /// Puts the sum of the last two in their place; whether there were two.
    pub fn add(&mut self) -> bool {
        let (Some(b), Some(a)) = (self.pop(), self.pop()) else { return false };
        self.push(a.plus(b));
        true
    }
}

impl<T: Copy> Default for Stack<T> {
    fn default() -> Self {
        Stack::new()
    }
}
