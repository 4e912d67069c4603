//! `table.sort`: quicksort in place, with heapsort where that degenerates, so that no order of the elements makes it slow.
//!
//! Without a comparison function the elements are sorted on the stack. With one, a function of the language does it, in `sort.lua`, so that
//! traces go through it. A comparison that contradicts itself is an error or gives some order, but never leaves the list's bounds.

use crate::call::Call;
use crate::function::HIDDEN;
use crate::meta;
use crate::stack::Slot;
use crate::table::Table;
use crate::value::Value;
use crate::vm::{Raised, Result, Vm};

/// Below that many elements, insertion.
const SMALL: usize = 3;

struct Sorter<'a> {
    vm: &'a Vm,
    values: Slot,
}

impl Sorter<'_> {
    #[inline]
    fn get(&self, index: usize) -> Value {
        self.values.at(index)
    }

    #[inline]
    fn set(&self, index: usize, value: Value) {
        self.values.put(index, value);
    }

    fn swap(&self, a: usize, b: usize) {
        let value = self.get(a);
        self.set(a, self.get(b));
        self.set(b, value);
    }

    #[inline]
    fn less(&self, a: Value, b: Value) -> Result<bool> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => Ok(a < b),
            (Value::Float(a), Value::Float(b)) => Ok(a.get() < b.get()),
            _ => meta::less(self.vm, a, b),
        }
    }

    fn sort(&self, mut low: usize, mut high: usize, mut depth: u32) -> Result<()> {
        // The elements from `low` up to before `high`.
        while high - low > SMALL {
            if depth == 0 {
                return self.heap_sort(low, high);
            }
            depth -= 1;
            let middle = self.partition(low, high)?;
            if middle - low < high - middle {
                self.sort(low, middle, depth)?;
                low = middle + 1;
            } else {
                self.sort(middle + 1, high, depth)?;
                high = middle;
            }
        }
        for index in low + 1..high {
            let value = self.get(index);
            let mut place = index;
            while place > low && self.less(value, self.get(place - 1))? {
                self.set(place, self.get(place - 1));
                place -= 1;
            }
            self.set(place, value);
        }
        Ok(())
    }

    /// Puts an element where it belongs, with none above it before and none below it behind; where that is.
    fn partition(&self, low: usize, high: usize) -> Result<usize> {
        let (middle, last) = (low + (high - low) / 2, high - 1);
        if self.less(self.get(middle), self.get(low))? {
            self.swap(middle, low);
        }
        if self.less(self.get(last), self.get(middle))? {
            self.swap(last, middle);
            if self.less(self.get(middle), self.get(low))? {
                self.swap(middle, low);
            }
        }
        let pivot = self.get(middle);
        self.swap(middle, last - 1);
        let (mut left, mut right) = (low, last - 1);
        loop {
            left += 1;
            while self.less(self.get(left), pivot)? {
                left += 1;
                if left >= last {
                    return Err(self.invalid());
                }
            }
            right -= 1;
            while self.less(pivot, self.get(right))? {
                if right <= low {
                    return Err(self.invalid());
                }
                right -= 1;
            }
            if right < left {
                break;
            }
            self.swap(left, right);
        }
        self.swap(left, last - 1);
        Ok(left)
    }

    fn invalid(&self) -> Raised {
        invalid(self.vm)
    }

    fn heap_sort(&self, low: usize, high: usize) -> Result<()> {
        let count = high - low;
        for root in (0..count / 2).rev() {
            self.sift(low, root, count)?;
        }
        for end in (1..count).rev() {
            self.swap(low, low + end);
            self.sift(low, 0, end)?;
        }
        Ok(())
    }

    fn sift(&self, low: usize, mut root: usize, end: usize) -> Result<()> {
        loop {
            let mut child = root * 2 + 1;
            if child >= end {
                return Ok(());
            }
            if child + 1 < end && self.less(self.get(low + child), self.get(low + child + 1))? {
                child += 1;
            }
            if !self.less(self.get(low + root), self.get(low + child))? {
                return Ok(());
            }
            self.swap(low + root, low + child);
            root = child;
        }
    }
}

fn invalid(vm: &Vm) -> Raised {
    vm.raise_bytes(&[crate::error::position(vm, 1), b"invalid order function for sorting".to_vec()].concat())
}

/// The function that sorts with a comparison.
fn sorter(vm: &Vm) -> Result<Value> {
    if let Some(made) = vm.sorter.found() {
        return Ok(made);
    }
    let chunk = vm.load(include_bytes!("sort.lua"), HIDDEN, Value::Nil)?;
    let made = vm.call(Value::Function(chunk), &[])?;
    vm.sorter.set(made);
    Ok(made)
}

pub fn sort(call: Call) -> Result<usize> {
    let list = call.table_like(0, &[meta::Event::Index, meta::Event::NewIndex, meta::Event::Len])?;
    let length = super::table::length(call.vm, list)?;
    if length < 2 {
        return Ok(0);
    }
    if length >= i64::from(i32::MAX) {
        return Err(call.bad(0, "array too big"));
    }
    let count = length as usize;
    let depth = 2 * (usize::BITS - count.leading_zeros());
    if !call.arg(1).is_nil() {
        let less = call.callable(1)?;
        let sorter = sorter(call.vm)?;
        let arguments = [list, less, Value::Int(1), Value::Int(length), Value::Int(i64::from(depth))];
        let is_invalid = call.vm.call(sorter, &arguments)?.is_true();
        return if is_invalid { Err(invalid(call.vm)) } else { Ok(0) };
    }
    // On the stack if there is room, otherwise in an object of their own.
    let first = call.count + 1;
    let kept;
    let values = if count < 100_000 && call.reserve(first + count + 8) {
        call.place.up(first)
    } else {
        kept = metatrace::gc::Array::try_cells(count, Value::Nil)?;
        // The list's place keeps it alive.
        let holder = Table::new(call.vm)?;
        holder.array.set(kept);
        call.place.set(Value::Table(holder));
        Slot::of_element(&kept[0])
    };
    for index in 0..count {
        let value = super::table::get(call.vm, list, index as i64 + 1)?;
        values.put(index, value);
        metatrace::gc::barrier(values.up(index).address());
    }
    Sorter { vm: call.vm, values }.sort(0, count, depth)?;
    for index in 0..count {
        super::table::set(call.vm, list, index as i64 + 1, values.at(index))?;
    }
    Ok(0)
}
