//! The model of `std::collections`: opaque types, whose methods are called.

use crate::hash::{BuildHasher, Hash, RandomState};

/// What a key may be looked up by.
pub trait __Key<Q: ?Sized> {}
impl<T: ?Sized> __Key<T> for T {}
impl __Key<str> for crate::string::String {}
impl<T> __Key<[T]> for Vec<T> {}
impl<T: ?Sized> __Key<T> for Box<T> {}
impl<T: ?Sized> __Key<T> for crate::rc::Rc<T> {}
impl<'a, T: ?Sized> __Key<T> for &'a T {}

pub mod hash_map {
    #[opaque]
    pub enum Entry<'a, K, V> {}
    impl<'a, K, V> Entry<'a, K, V> {
        #[opaque]
        pub fn or_insert(self, default: V) -> &'a mut V {}
        #[opaque]
        pub fn or_default(self) -> &'a mut V
        where
            V: Default,
        {
        }
    }
    #[opaque(no_drop)]
    pub struct Iter<'a, K, V> {}
    impl<'a, K, V> Iterator for Iter<'a, K, V> {
        type Item = (&'a K, &'a V);
        #[opaque]
        fn next(&mut self) -> Option<(&'a K, &'a V)> {}
    }
}

macro_rules! map {
    ($name:ident [$($s:tt)*] [$($args:tt)*] [$($bound:tt)*]) => {
        impl<K, V $($args)*> $name<K, V $($s)*>
        where
            $($bound)*
        {
            #[opaque]
            pub fn get<Q: ?Sized>(&self, key: &Q) -> Option<&V>
            where
                K: __Key<Q>,
            {
            }
            #[opaque]
            pub fn get_mut<Q: ?Sized>(&mut self, key: &Q) -> Option<&mut V>
            where
                K: __Key<Q>,
            {
            }
            #[opaque]
            pub fn contains_key<Q: ?Sized>(&self, key: &Q) -> bool
            where
                K: __Key<Q>,
            {
            }
            #[opaque]
            pub fn insert(&mut self, key: K, value: V) -> Option<V> {}
            #[opaque]
            pub fn remove<Q: ?Sized>(&mut self, key: &Q) -> Option<V>
            where
                K: __Key<Q>,
            {
            }
        }
        impl<K, V $($args)*> $name<K, V $($s)*> {
            #[opaque]
            pub fn len(&self) -> usize {}
            #[opaque]
            pub fn is_empty(&self) -> bool {}
            #[opaque]
            pub fn clear(&mut self) {}
        }
    };
}

#[opaque]
pub struct HashMap<K, V, S = RandomState> {}
impl<K, V> HashMap<K, V, RandomState> {
    #[opaque]
    pub fn new() -> HashMap<K, V, RandomState> {}
    #[opaque]
    pub fn with_capacity(capacity: usize) -> HashMap<K, V, RandomState> {}
}
map!(HashMap [, S] [, S] [K: Eq + Hash, S: BuildHasher]);
impl<K: Eq + Hash, V, S: BuildHasher> HashMap<K, V, S> {
    #[opaque]
    pub fn entry(&mut self, key: K) -> hash_map::Entry<'_, K, V> {}
}
impl<K, V, S> HashMap<K, V, S> {
    #[opaque]
    pub fn iter(&self) -> hash_map::Iter<'_, K, V> {}
}
impl<K, V, S: Default> Default for HashMap<K, V, S> {
    #[opaque]
    fn default() -> HashMap<K, V, S> {}
}
impl<K: Clone, V: Clone, S: Clone> Clone for HashMap<K, V, S> {
    #[opaque]
    fn clone(&self) -> HashMap<K, V, S> {}
}
impl<'a, K: Eq + Hash + __Key<Q>, Q: ?Sized, V, S: BuildHasher> crate::ops::Index<&'a Q> for HashMap<K, V, S> {
    type Output = V;
    #[opaque]
    fn index(&self, key: &'a Q) -> &V {}
}

#[opaque]
pub struct BTreeMap<K, V> {}
impl<K, V> BTreeMap<K, V> {
    #[opaque]
    pub const fn new() -> BTreeMap<K, V> {}
}
map!(BTreeMap [] [] [K: Ord]);
impl<K, V> Default for BTreeMap<K, V> {
    #[opaque]
    fn default() -> BTreeMap<K, V> {}
}
impl<K: Clone, V: Clone> Clone for BTreeMap<K, V> {
    #[opaque]
    fn clone(&self) -> BTreeMap<K, V> {}
}
impl<'a, K: Ord + __Key<Q>, Q: ?Sized, V> crate::ops::Index<&'a Q> for BTreeMap<K, V> {
    type Output = V;
    #[opaque]
    fn index(&self, key: &'a Q) -> &V {}
}

#[opaque]
pub struct HashSet<T, S = RandomState> {}
impl<T> HashSet<T, RandomState> {
    #[opaque]
    pub fn new() -> HashSet<T, RandomState> {}
}
impl<T: Eq + Hash, S: BuildHasher> HashSet<T, S> {
    #[opaque]
    pub fn contains<Q: ?Sized>(&self, value: &Q) -> bool
    where
        T: __Key<Q>,
    {
    }
    #[opaque]
    pub fn insert(&mut self, value: T) -> bool {}
    #[opaque]
    pub fn remove<Q: ?Sized>(&mut self, value: &Q) -> bool
    where
        T: __Key<Q>,
    {
    }
}
impl<T, S> HashSet<T, S> {
    #[opaque]
    pub fn len(&self) -> usize {}
    #[opaque]
    pub fn is_empty(&self) -> bool {}
    #[opaque]
    pub fn clear(&mut self) {}
}

#[opaque]
pub struct VecDeque<T> {}
impl<T> VecDeque<T> {
    #[opaque]
    pub const fn new() -> VecDeque<T> {}
    #[opaque]
    pub fn len(&self) -> usize {}
    #[opaque]
    pub fn is_empty(&self) -> bool {}
    #[opaque]
    pub fn push_back(&mut self, value: T) {}
    #[opaque]
    pub fn push_front(&mut self, value: T) {}
    #[opaque]
    pub fn pop_back(&mut self) -> Option<T> {}
    #[opaque]
    pub fn pop_front(&mut self) -> Option<T> {}
    #[opaque]
    pub fn front(&self) -> Option<&T> {}
    #[opaque]
    pub fn back(&self) -> Option<&T> {}
    #[opaque]
    pub fn get(&self, index: usize) -> Option<&T> {}
    #[opaque]
    pub fn clear(&mut self) {}
}
impl<T> crate::ops::Index<usize> for VecDeque<T> {
    type Output = T;
    #[opaque]
    fn index(&self, index: usize) -> &T {}
}
