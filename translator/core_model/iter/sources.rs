//! Iterators that begin with something else than a collection.

pub struct Empty<T> {
    nothing: Option<T>,
}
pub const fn empty<T>() -> Empty<T> {
    Empty { nothing: None }
}
impl<T> Iterator for Empty<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.nothing.take()
    }
}

pub struct Once<T> {
    inner: Option<T>,
}
pub fn once<T>(value: T) -> Once<T> {
    Once { inner: Some(value) }
}
impl<T> Iterator for Once<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.inner.take()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = self.inner.is_some() as usize;
        (n, Some(n))
    }
}
impl<T> DoubleEndedIterator for Once<T> {
    fn next_back(&mut self) -> Option<T> {
        self.inner.take()
    }
}
impl<T> ExactSizeIterator for Once<T> {}

#[derive(Clone)]
pub struct Repeat<T> {
    value: T,
}
pub fn repeat<T: Clone>(value: T) -> Repeat<T> {
    Repeat { value }
}
impl<T: Clone> Iterator for Repeat<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        Some(self.value.clone())
    }
}

pub struct RepeatN<T> {
    value: Option<T>,
    count: usize,
}
pub fn repeat_n<T: Clone>(value: T, count: usize) -> RepeatN<T> {
    RepeatN { value: if count > 0 { Some(value) } else { None }, count }
}
impl<T: Clone> Iterator for RepeatN<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        if self.count > 1 {
            self.count -= 1;
            self.value.clone()
        } else {
            self.count = 0;
            self.value.take()
        }
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}
impl<T: Clone> ExactSizeIterator for RepeatN<T> {}

pub struct RepeatWith<F> {
    f: F,
}
pub fn repeat_with<A, F: FnMut() -> A>(f: F) -> RepeatWith<F> {
    RepeatWith { f }
}
impl<A, F: FnMut() -> A> Iterator for RepeatWith<F> {
    type Item = A;
    fn next(&mut self) -> Option<A> {
        Some((self.f)())
    }
}

pub struct FromFn<F> {
    f: F,
}
pub fn from_fn<T, F: FnMut() -> Option<T>>(f: F) -> FromFn<F> {
    FromFn { f }
}
impl<T, F: FnMut() -> Option<T>> Iterator for FromFn<F> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        (self.f)()
    }
}

pub struct Successors<T, F> {
    next: Option<T>,
    f: F,
}
pub fn successors<T, F: FnMut(&T) -> Option<T>>(first: Option<T>, f: F) -> Successors<T, F> {
    Successors { next: first, f }
}
impl<T, F: FnMut(&T) -> Option<T>> Iterator for Successors<T, F> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        let item = self.next.take()?;
        self.next = (self.f)(&item);
        Some(item)
    }
}

pub fn zip<A: IntoIterator, B: IntoIterator>(a: A, b: B) -> super::Zip<A::IntoIter, B::IntoIter> {
    a.into_iter().zip(b)
}
