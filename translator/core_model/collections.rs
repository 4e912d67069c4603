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
            #[reads(K, Q $($s)*)]
            pub fn get<Q: ?Sized>(&self, key: &Q) -> Option<&V>
            where
                K: __Key<Q>,
            {
            }
            #[opaque]
            #[reads(K, Q $($s)*)]
            pub fn get_mut<Q: ?Sized>(&mut self, key: &Q) -> Option<&mut V>
            where
                K: __Key<Q>,
            {
            }
            #[opaque]
            #[reads(K, Q $($s)*)]
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
            #[reads()]
            pub fn len(&self) -> usize {}
            #[opaque]
            #[reads()]
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
    #[reads()]
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
    #[reads(K, Q, S)]
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
    #[reads(K, Q)]
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
    #[reads(T, Q, S)]
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
    #[reads()]
    pub fn len(&self) -> usize {}
    #[opaque]
    #[reads()]
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
    #[reads()]
    pub fn len(&self) -> usize {}
    #[opaque]
    #[reads()]
    pub fn is_empty(&self) -> bool {}
    #[opaque]
    #[moves(T)]
    pub fn push_back(&mut self, value: T) {}
    #[opaque]
    #[moves(T)]
    pub fn push_front(&mut self, value: T) {}
    #[opaque]
    #[moves(T)]
    pub fn pop_back(&mut self) -> Option<T> {}
    #[opaque]
    #[moves(T)]
    pub fn pop_front(&mut self) -> Option<T> {}
    #[opaque]
    #[reads()]
    pub fn front(&self) -> Option<&T> {}
    #[opaque]
    #[reads()]
    pub fn back(&self) -> Option<&T> {}
    #[opaque]
    #[reads()]
    pub fn get(&self, index: usize) -> Option<&T> {}
    #[opaque]
    pub fn clear(&mut self) {}
}
impl<T> crate::ops::Index<usize> for VecDeque<T> {
    type Output = T;
    #[opaque]
    #[reads()]
    fn index(&self, index: usize) -> &T {}
}

// What collects into them puts one after the other.
macro_rules! collects {
    ($([$($params:tt)*] $of:ty, $item:ty, $one:ident $put:block $map:ident;)*) => { $(
        impl<$($params)*> Extend<$item> for $of {
            fn extend<I: IntoIterator<Item = $item>>(&mut self, iter: I) {
                let mut iter = iter.into_iter();
                let $map = self;
                while let Some($one) = iter.next() $put
            }
        }
        impl<$($params)*> FromIterator<$item> for $of {
            fn from_iter<I: IntoIterator<Item = $item>>(iter: I) -> $of {
                let mut all = <$of>::default();
                all.extend(iter);
                all
            }
        }
        impl<$($params)*, const N: usize> From<[$item; N]> for $of {
            fn from(items: [$item; N]) -> $of {
                let mut all = <$of>::default();
                all.extend(items);
                all
            }
        }
    )* };
}
collects! {
    [K: Eq + Hash, V] HashMap<K, V, RandomState>, (K, V), pair { map.insert(pair.0, pair.1); } map;
    [K: Ord, V] BTreeMap<K, V>, (K, V), pair { map.insert(pair.0, pair.1); } map;
    [T: Eq + Hash] HashSet<T, RandomState>, T, one { set.insert(one); } set;
    [T] VecDeque<T>, T, one { queue.push_back(one); } queue;
}
impl<T, S: Default> Default for HashSet<T, S> {
    #[opaque]
    fn default() -> HashSet<T, S> {}
}
impl<T: Clone, S: Clone> Clone for HashSet<T, S> {
    #[opaque]
    fn clone(&self) -> HashSet<T, S> {}
}
impl<T> Default for VecDeque<T> {
    #[opaque]
    fn default() -> VecDeque<T> {}
}
impl<T: Clone> Clone for VecDeque<T> {
    #[opaque]
    fn clone(&self) -> VecDeque<T> {}
}
