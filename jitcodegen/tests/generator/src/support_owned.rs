thread_local! {
    static NOTED: std::cell::Cell<i64> = const { std::cell::Cell::new(0) };
}

/// Keeps what was dropped, so that another order gives another number.
#[jit::dont_look_inside]
pub fn note(value: i64) {
    NOTED.with(|noted| noted.set(noted.get().wrapping_mul(31).wrapping_add(value ^ 5)));
}

#[jit::dont_look_inside]
pub fn noted_so_far() -> i64 {
    NOTED.with(|noted| noted.get())
}

#[jit::dont_look_inside]
pub fn forget_noted() {
    NOTED.with(|noted| noted.set(0));
}

/// What is noted when it is dropped.
#[derive(Debug)]
pub struct Noted(pub i64);

impl Drop for Noted {
    fn drop(&mut self) {
        note(self.0);
    }
}

#[jit::dont_look_inside]
pub fn noted(value: i64) -> Noted {
    Noted(value)
}

/// Something that owns something, or not.
#[derive(Debug)]
pub enum Thing {
    Nothing,
    Number(i64),
    One(Noted),
    Two { first: Box<Noted>, second: Noted },
    Named(String),
}

impl From<Noted> for Thing {
    fn from(noted: Noted) -> Thing {
        Thing::One(noted)
    }
}

/// A trait of things that own something.
pub trait Weigh {
    fn weigh(&self) -> i64;
    fn heavier(&self, by: i64) -> i64 {
        self.weigh().wrapping_mul(by)
    }
}

impl Weigh for Noted {
    fn weigh(&self) -> i64 {
        self.0
    }
}

impl Weigh for Thing {
    fn weigh(&self) -> i64 {
        match self {
            Thing::Nothing => -1,
            Thing::Number(n) => *n,
            Thing::One(noted) => noted.weigh(),
            Thing::Two { first, second } => first.weigh().wrapping_sub(second.0),
            Thing::Named(name) => name.weigh(),
        }
    }
    fn heavier(&self, by: i64) -> i64 {
        self.weigh() ^ by
    }
}

impl Weigh for String {
    fn weigh(&self) -> i64 {
        let first = self.as_bytes().first().copied();
        first.map_or(0, i64::from) ^ (self.len() as i64) << 8
    }
}

impl Weigh for std::rc::Rc<Noted> {
    fn weigh(&self) -> i64 {
        self.0 ^ std::rc::Rc::strong_count(self) as i64
    }
}

impl<T: Weigh + ?Sized> Weigh for Box<T> {
    fn weigh(&self) -> i64 {
        (**self).weigh().wrapping_add(1)
    }
}

impl<T: Weigh> Weigh for Option<T> {
    fn weigh(&self) -> i64 {
        self.as_ref().map_or(3, T::weigh)
    }
}

impl<A: Weigh, B: Weigh> Weigh for (A, B) {
    fn weigh(&self) -> i64 {
        self.0.weigh() ^ self.1.heavier(2)
    }
}

impl Weigh for Vec<Noted> {
    #[jit::unroll_safe]
    fn weigh(&self) -> i64 {
        let mut sum = 0i64;
        for one in self {
            sum = sum.wrapping_mul(3).wrapping_add(one.weigh());
        }
        sum
    }
}

pub fn weight(of: &dyn Weigh) -> i64 {
    of.heavier(5)
}

pub fn heavy<T: Weigh>(of: &T) -> i64 {
    of.heavier(2)
}

pub fn consume<T: Weigh>(of: T) -> i64 {
    of.weigh()
}

pub fn both<A: Weigh, B: Weigh>(a: A, b: B) -> i64 {
    let pair = (b, a);
    pair.weigh()
}

pub fn keep<T: Weigh>(of: T, yes: bool) -> Option<T> {
    yes.then_some(of)
}

fn tried(n: i64, noted: Noted) -> Result<i64, Noted> {
    if n & 1 == 0 { Ok(n ^ noted.weigh()) } else { Err(noted) }
}

pub fn tried_twice(n: i64, noted: Noted) -> Result<i64, Thing> {
    let first = tried(n, noted)?;
    let other = Noted(first);
    Ok(tried(first >> 1, other)?)
}

