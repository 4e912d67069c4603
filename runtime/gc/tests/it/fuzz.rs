//! A fuzzer: random programs on a graph of objects, in the collected heap and in a model of it in plain Rust.
//!
//! In: random bytes. A program works on slots that hold references; each step changes the graph in both worlds. What is
//! checked: whatever the model reaches from the slots, the heap has, with the same content; what a weak reference or a weak table
//! gives is what the model says, and it gives all that is reached; finalizers run for nothing that is reached, once; and
//! at the end nearly nothing lives that is not reached. Collections verify the heap.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use arbtest::arbitrary::{Result, Unstructured};
use metatrace::gc::{
    Array, Config, Gc, GcCell, GcRefCell, GcVec, Heap, HeapFull, Root, Stress, Trace, Weak, WeakMap,
};

use super::{apart, heap};

/// An object with a reference of each kind.
#[derive(Trace)]
struct Object {
    id: u64,
    one: GcCell<Option<Gc<Object>>>,
    list: GcVec<Gc<Object>>,
    vector: GcRefCell<Vec<Gc<Object>>>,
    boxed: Box<GcCell<Choice>>,
    array: GcCell<Option<Gc<Array<GcCell<Option<Gc<Object>>>>>>>,
    weak: GcCell<Option<Weak<Object>>>,
}

#[derive(Clone, Copy, Trace)]
enum Choice {
    Number(u64),
    Object(Gc<Object>),
}

/// The same in the model.
#[derive(Default)]
struct Model {
    one: Option<u64>,
    list: Vec<u64>,
    vector: Vec<u64>,
    boxed: Option<u64>,
    array: BTreeMap<usize, u64>,
    length: usize,
    weak: Option<u64>,
    finalizer: bool,
}

impl Model {
    fn references(&self) -> impl Iterator<Item = u64> {
        let few = self.one.iter().chain(&self.boxed).chain(&self.list).chain(&self.vector);
        few.chain(self.array.values()).copied()
    }
}

const SLOTS: usize = 6;

/// Both worlds.
struct World {
    slots: Root<Vec<Option<Gc<Object>>>>,
    map: Root<WeakMap<Object, Gc<Object>>>,
    model_slots: [Option<u64>; SLOTS],
    model: BTreeMap<u64, Model>,
    model_map: BTreeMap<u64, u64>,
    finalized: BTreeSet<u64>,
}

thread_local! {
    static FINALIZED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn finalize(object: Gc<Object>) {
    FINALIZED.with_borrow_mut(|log| log.push(object.id));
}

impl World {
    fn new() -> World {
        World {
            slots: Root::new(vec![None; SLOTS]),
            map: Root::new(WeakMap::new()),
            model_slots: [None; SLOTS],
            model: BTreeMap::new(),
            model_map: BTreeMap::new(),
            finalized: BTreeSet::new(),
        }
    }

    /// What the slots reach, through weak entries too.
    fn reached(&self) -> BTreeSet<u64> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<u64> = self.model_slots.iter().flatten().copied().collect();
        loop {
            while let Some(id) = open.pop() {
                if reached.insert(id) {
                    open.extend(self.model[&id].references());
                }
            }
            let values =
                self.model_map.iter().filter(|(key, _)| reached.contains(key)).map(|(_, value)| *value);
            open.extend(values.filter(|value| !reached.contains(value)));
            if open.is_empty() {
                return reached;
            }
        }
    }

    fn create(&mut self, slot: usize) -> std::result::Result<(), HeapFull> {
        let id = self.model.len() as u64;
        let object = Gc::try_new(Object {
            id,
            one: GcCell::new(None),
            list: GcVec::new(),
            vector: GcRefCell::new(Vec::new()),
            boxed: Box::new(GcCell::new(Choice::Number(id))),
            array: GcCell::new(None),
            weak: GcCell::new(None),
        })?;
        self.slots[slot] = Some(object);
        self.model_slots[slot] = Some(id);
        self.model.insert(id, Model::default());
        Ok(())
    }

    /// One step. An allocation that fails changes nothing.
    fn step(&mut self, heap: &Heap, u: &mut Unstructured) -> Result<()> {
        let (a, b) = (u.choose_index(SLOTS)?, u.choose_index(SLOTS)?);
        let what = u.int_in_range(0..=15u8)?;
        match what {
            0 | 1 => drop(self.create(a)),
            2 => {
                self.slots[a] = None;
                self.model_slots[a] = None;
            }
            3 => heap.collect_minor(),
            4 => heap.collect(),
            5 => self.finalize(heap),
            6 => drop((0..u.int_in_range(1..=2000u64)?).map(Gc::try_new).all(|made| made.is_ok())),
            7 => self.check(),
            _ => {
                if let (Some(object), Some(other)) = (self.slots[a], self.slots[b]) {
                    self.change(what, a, object, other, u)?;
                }
            }
        }
        Ok(())
    }

    fn change(
        &mut self,
        what: u8,
        slot: usize,
        object: Gc<Object>,
        other: Gc<Object>,
        u: &mut Unstructured,
    ) -> Result<()> {
        let Some(model) = self.model.get_mut(&object.id) else { panic!("an object without a model") };
        match what {
            8 => {
                object.one.set(Some(other));
                model.one = Some(other.id);
            }
            9 if u.ratio(1, 4)? => assert_eq!(object.list.pop().map(|object| object.id), model.list.pop()),
            9 => {
                if object.list.try_push(other).is_ok() {
                    model.list.push(other.id);
                }
            }
            10 if u.ratio(1, 4)? => {
                object.vector.borrow_mut().clear();
                model.vector.clear();
            }
            10 => {
                let mut vector = object.vector.borrow_mut();
                vector.push(other);
                model.vector.push(other.id);
                // A collection may happen while it is borrowed.
                let _ = Gc::try_new(0u64);
                vector.push(other);
                model.vector.push(other.id);
            }
            11 => {
                object.boxed.set(Choice::Object(other));
                model.boxed = Some(other.id);
            }
            12 if object.array.get().is_none() || u.ratio(1, 8)? => {
                let length = *u.choose(&[1, 5, 60, 700, 2100])?;
                if let Ok(array) = Array::try_cells(length, None) {
                    object.array.set(Some(array));
                    (model.array, model.length) = (BTreeMap::new(), length);
                }
            }
            12 => {
                let index = u.choose_index(model.length)?;
                if let Some(array) = object.array.get() {
                    array[index].set(Some(other));
                    model.array.insert(index, other.id);
                }
            }
            13 => {
                if let Ok(weak) = Weak::try_new(other) {
                    object.weak.set(Some(weak));
                    model.weak = Some(other.id);
                }
            }
            14 if u.ratio(1, 4)? => {
                assert_eq!(self.map.remove(object).map(|value| value.id), self.model_map.remove(&object.id));
            }
            14 => {
                if let Ok(before) = self.map.try_insert(object, other) {
                    assert_eq!(before.map(|value| value.id), self.model_map.insert(object.id, other.id));
                }
            }
            _ if !model.finalizer && u.ratio(1, 2)? => {
                object.on_death(finalize);
                model.finalizer = true;
            }
            _ => {
                self.slots[slot] = object.one.get();
                self.model_slots[slot] = model.one;
            }
        }
        Ok(())
    }

    fn finalize(&mut self, heap: &Heap) {
        let reached = self.reached();
        apart(|| heap.run_finalizers());
        for id in FINALIZED.take() {
            assert!(!reached.contains(&id), "object {id} was finalized and is reached");
            assert!(
                self.model[&id].finalizer && self.finalized.insert(id),
                "object {id} was finalized twice"
            );
        }
    }

    /// Compares all that is reached.
    fn check(&self) {
        let reached = self.reached();
        let mut seen = BTreeSet::new();
        let mut open: Vec<(Gc<Object>, u64)> = Vec::new();
        for (slot, id) in self.slots.iter().zip(&self.model_slots) {
            assert_eq!(slot.map(|object| object.id), *id);
            open.extend(slot.zip(*id));
        }
        while let Some((object, id)) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let model = &self.model[&id];
            assert_eq!(object.id, id);
            let mut pair = |object: Option<Gc<Object>>, id: Option<u64>| {
                assert_eq!(object.map(|object| object.id), id);
                open.extend(object.zip(id));
            };
            pair(object.one.get(), model.one);
            assert_eq!(object.list.len(), model.list.len());
            object.list.iter().zip(&model.list).for_each(|(object, id)| pair(Some(object), Some(*id)));
            assert_eq!(object.vector.borrow().len(), model.vector.len());
            object
                .vector
                .borrow()
                .iter()
                .zip(&model.vector)
                .for_each(|(object, id)| pair(Some(*object), Some(*id)));
            match object.boxed.get() {
                Choice::Number(number) => assert!(number == id && model.boxed.is_none()),
                Choice::Object(object) => pair(Some(object), model.boxed),
            }
            if let Some(array) = object.array.get() {
                assert_eq!(array.len(), model.length);
                array
                    .iter()
                    .enumerate()
                    .for_each(|(index, cell)| pair(cell.get(), model.array.get(&index).copied()));
            }
            if let Some(weak) = object.weak.get() {
                let (found, id) = (weak.get().map(|object| object.id), model.weak);
                assert!(found == id || found.is_none() && id.is_some_and(|id| !reached.contains(&id)));
            }
            pair(self.map.get(object), self.model_map.get(&id).copied());
        }
        assert_eq!(seen, reached);
    }
}

fn run(u: &mut Unstructured) -> Result<()> {
    let stress = Stress {
        collect_every: *u.choose(&[0, 0, 1, 2, 13])?,
        full: u.arbitrary()?,
        fail_at: u.int_in_range(0..=60)?,
    };
    let config = Config {
        limit: *u.choose(&[512 << 10, 2 << 20, 64 << 20])?,
        reserve: 64 << 10,
        nursery: *u.choose(&[4 << 10, 64 << 10])?,
        generational: u.ratio(3, 4)?,
        poison: true,
        verify: true,
        ..Config::default()
    };
    let heap = heap(config);
    heap.enter(|| {
        let mut world = World::new();
        heap.set_stress(stress);
        while !u.is_empty() {
            apart(|| world.step(&heap, u))?;
        }
        apart(|| world.check());
        heap.set_stress(Stress::default());
        apart(|| world.finalize(&heap));
        apart(|| heap.collect());
        apart(|| world.finalize(&heap));
        apart(|| world.check());
        let (reached, all) = (apart(|| world.reached().len()), world.model.len());
        drop(world);
        apart(|| heap.collect());
        heap.run_finalizers();
        apart(|| heap.collect());
        FINALIZED.take();
        let left = heap.stats().live_bytes;
        assert!(
            left < 200_000,
            "{left} bytes live of {all} objects ({reached} reached) when nothing is reached"
        );
        Ok(())
    })
}

#[test]
fn random_programs_agree_with_the_model() {
    arbtest::arbtest(run).budget_ms(1000).size_min(512).size_max(4096);
}
