//! A machine: its heap, and what all its programs share.
//!
//! An error is a value in the machine and [`Raised`] on the way out.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use metatrace::gc::{Array, Config, Gc, GcCell, GcVec, Heap, HeapFull, Trace, WeakPhase};
use metatrace::jit;

use crate::call::Call;
use crate::chunk;
use crate::compile::Body;
use crate::function::{Code, Function, Known, LeafFn, Native, NativeFn, Upvalue};
use crate::meta::{EVENTS, Event};
use crate::shape::{Shape, Shapes};
use crate::stack::Pool;
use crate::string::{Str, Strings};
use crate::table::{Entries, Entry, Table, Values};
use crate::thread::{FINALIZER, FRESH, Flags, Frame, Pc, Thread};
use crate::value::Value;

metatrace::glue!();

/// An error is on its way: its value is in the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised;

/// The leaf of functions that are none.
fn no_leaf(_: &Call<'_>) -> Result<usize> {
    Err(Raised)
}

impl From<HeapFull> for Raised {
    #[cold]
    #[jit::dont_look_inside]
    fn from(_: HeapFull) -> Raised {
        with_current(|vm| vm.raise(Value::Str(vm.no_memory.get())))
    }
}

/// A function of a library, with its name.
pub type NativeEntry = (&'static str, NativeFn);

/// A result, or an error on its way.
pub type Result<T> = std::result::Result<T, Raised>;

/// How a machine is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes that objects may take; more are the error "not enough memory".
    pub memory: usize,
    /// Bytes of the native stack that nested calls of native functions may take.
    pub native_stack: usize,
    /// Options of the JIT as `METATRACE` takes them; those that it has, if there are none here.
    pub jit: Option<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options { memory: 4 << 30, native_stack: 1 << 20, jit: None }
    }
}

/// References that the machine holds.
#[derive(Trace)]
pub(crate) struct Roots {
    pub registry: GcCell<Option<Gc<Table>>>,
    pub globals: GcCell<Option<Gc<Table>>>,
    pub loaded: GcCell<Option<Gc<Table>>>,
    /// Metatables of the kinds of values that have one for all, by `Value::type_index`.
    pub metas: [GcCell<Option<Gc<Table>>>; 9],
    pub main: GcCell<Option<Gc<Thread>>>,
    pub current: GcCell<Option<Gc<Thread>>>,
    pub error: GcCell<Value>,
    pub transfer: GcCell<Value>,
    pub finalizable: GcVec<Value>,
}

/// A machine.
pub struct Vm {
    pub strings: Strings,
    pub shapes: Shapes,
    pub(crate) roots: Roots,
    thread: Cell<Option<Gc<Thread>>>,
    empty_values: Cell<Option<Gc<Values>>>,
    empty_entries: Cell<Option<Gc<Entries>>>,
    names: RefCell<Vec<Str>>,
    /// By `Value::type_index`.
    kind_names: RefCell<Vec<Str>>,
    /// `next`, and what `ipairs` returns.
    pub(crate) next: Late<Value>,
    pub(crate) ipairs_next: Late<Value>,
    /// What sorts with a comparison, once that was asked for.
    pub(crate) sorter: Late<Value>,
    pub(crate) no_memory: Late<Str>,
    pub(crate) pool: Pool,
    pub(crate) stacks: Rc<crate::coroutine::Stacks>,
    pub(crate) weak_tables: RefCell<Vec<Gc<Table>>>,
    /// The address below which the native stack must not grow.
    pub(crate) stack_limit: Cell<usize>,
    pub(crate) native_calls: Cell<u32>,
    pub(crate) has_finalizers: Cell<bool>,
    pub(crate) finalizing: Cell<bool>,
    pub(crate) warnings: Cell<bool>,
    pub(crate) collector: Collector,
    /// Whether any thread had a hook: native functions may have changed what code runs.
    pub(crate) hooks_used: Cell<bool>,
    pub(crate) random: Cell<[u64; 4]>,
    buffer: Cell<Vec<u8>>,
    pub(crate) no_upvalues: Late<Gc<Array<GcCell<Gc<Upvalue>>>>>,
    pub(crate) some_upvalue: Late<Gc<Upvalue>>,
    pub(crate) options: Options,
    #[cfg(feature = "jit")]
    jit: Option<metatrace::Vm>,
    pub heap: Heap,
}

/// What programs have set of the collector.
pub(crate) struct Collector {
    pub is_stopped: Cell<bool>,
    pub is_generational: Cell<bool>,
    /// Percent of what lives at which a cycle begins, and of its speed.
    pub pause: Cell<i64>,
    pub speed: Cell<i64>,
    /// Bytes that the steps of the cycle that was begun account for.
    pub stepped: Cell<usize>,
}

impl Default for Collector {
    fn default() -> Collector {
        Collector {
            is_stopped: Cell::new(false),
            is_generational: Cell::new(true),
            pause: Cell::new(200),
            speed: Cell::new(100),
            stepped: Cell::new(0),
        }
    }
}

/// What is set once while the machine is made.
pub(crate) struct Late<T>(Cell<Option<T>>);

impl<T: Copy> Late<T> {
    const fn new() -> Late<T> {
        Late(Cell::new(None))
    }

    pub fn set(&self, value: T) {
        self.0.set(Some(value));
    }

    pub fn found(&self) -> Option<T> {
        self.0.get()
    }

    pub fn get(&self) -> T {
        match self.0.get() {
            Some(value) => value,
            None => unreachable!("set before programs run"),
        }
    }
}

/// The JIT with the machine's own options.
#[cfg(feature = "jit")]
fn jit_of(options: &Options) -> std::io::Result<Option<metatrace::Vm>> {
    let Some(text) = &options.jit else { return Ok(None) };
    let made = metatrace::Options::parse(text).and_then(metatrace::Vm::new);
    made.map(Some).map_err(std::io::Error::other)
}

thread_local! {
    static CURRENT: Cell<*const Vm> = const { Cell::new(std::ptr::null()) };
}

/// Calls `f` with the machine that runs on this thread.
///
/// # Panics
/// If none does.
pub(crate) fn with_current<R>(f: impl FnOnce(&Vm) -> R) -> R {
    let vm = CURRENT.get();
    assert!(!vm.is_null(), "no machine runs on this thread");
    // SAFETY: it is set by `Vm::enter` for as long as that borrows the machine.
    f(unsafe { &*vm })
}

impl Vm {
    /// A machine with the standard libraries.
    ///
    /// # Errors
    /// If the system does not give memory, or the options of the JIT are wrong.
    pub fn new(options: Options) -> std::io::Result<Box<Vm>> {
        if cfg!(not(feature = "jit")) && options.jit.is_some() {
            return Err(std::io::Error::other("options for the JIT, which this build does not have"));
        }
        // Young objects are to fit into the processor's caches.
        let config = Config { limit: options.memory, nursery: 1 << 20, ..Config::default() };
        // SAFETY: references into the heap lie on native stacks, in objects, and in the machine, which shows them; the
        // machine is used within `enter` only.
        let heap = unsafe { Heap::new(config)? };
        let vm = Box::new(Vm {
            strings: Strings::new(),
            shapes: Shapes::new(),
            roots: Roots {
                registry: GcCell::new(None),
                globals: GcCell::new(None),
                loaded: GcCell::new(None),
                metas: [const { GcCell::new(None) }; 9],
                main: GcCell::new(None),
                current: GcCell::new(None),
                error: GcCell::new(Value::Nil),
                transfer: GcCell::new(Value::Nil),
                finalizable: GcVec::new(),
            },
            thread: Cell::new(None),
            empty_values: Cell::new(None),
            empty_entries: Cell::new(None),
            names: RefCell::default(),
            kind_names: RefCell::default(),
            next: Late::new(),
            ipairs_next: Late::new(),
            sorter: Late::new(),
            no_memory: Late::new(),
            pool: Pool::default(),
            stacks: Rc::default(),
            weak_tables: RefCell::default(),
            stack_limit: Cell::new(0),
            native_calls: Cell::new(0),
            has_finalizers: Cell::new(false),
            finalizing: Cell::new(false),
            warnings: Cell::new(false),
            collector: Collector::default(),
            hooks_used: Cell::new(false),
            random: Cell::new([1, 2, 3, 4]),
            buffer: Cell::default(),
            no_upvalues: Late::new(),
            some_upvalue: Late::new(),
            #[cfg(feature = "jit")]
            jit: jit_of(&options)?,
            options,
            heap,
        });
        vm.show_roots();
        let made = vm.enter(|vm| vm.set_up().is_ok());
        if made { Ok(vm) } else { Err(std::io::Error::other("not enough memory for a machine")) }
    }

    fn show_roots(&self) {
        let vm: *const Vm = self;
        // SAFETY: the machine is boxed, and owns the heap that calls these.
        self.heap.add_source(Box::new(move |tracer| unsafe {
            (*vm).roots.trace(tracer);
            (*vm).shapes.trace(tracer);
            (*vm).strings.trace(tracer);
            (*vm).names.borrow().iter().for_each(|name| name.trace(tracer));
            (*vm).kind_names.borrow().iter().for_each(|name| name.trace(tracer));
            [&(*vm).next, &(*vm).ipairs_next, &(*vm).sorter]
                .iter()
                .for_each(|late| late.0.get().trace(tracer));
            (*vm).empty_values.get().trace(tracer);
            (*vm).empty_entries.get().trace(tracer);
            (*vm).no_memory.0.get().trace(tracer);
            (*vm).no_upvalues.0.get().trace(tracer);
            (*vm).some_upvalue.0.get().trace(tracer);
        }));
        self.heap.add_weak_source(Box::new(move |tracer, phase| {
            // SAFETY: as above.
            let vm = unsafe { &*vm };
            match phase {
                WeakPhase::Propagate => {
                    vm.weak_tables.borrow().iter().for_each(|table| crate::weak::propagate(*table, tracer));
                }
                WeakPhase::BeforeFinalizers => {
                    let tables = vm.weak_tables.borrow();
                    let living = tables.iter().filter(|table| tracer.is_marked(**table));
                    living.for_each(|table| crate::weak::clear(*table, tracer, false));
                }
                WeakPhase::Clear => {
                    let mut tables = vm.weak_tables.borrow_mut();
                    tables.retain(|table| tracer.is_marked(*table));
                    tables.iter().for_each(|table| crate::weak::clear(*table, tracer, true));
                    vm.strings.forget_dead(tracer);
                }
            }
        }));
    }

    fn set_up(&self) -> Result<()> {
        self.empty_values.set(Some(Array::try_cells(0, Value::Nil)?));
        self.empty_entries.set(Some(self.new_entries(1)?));
        let upvalue = Upvalue::closed(Value::Nil)?;
        self.some_upvalue.set(upvalue);
        self.no_upvalues.set(Array::try_from_fn(0, |_| GcCell::new(upvalue))?);
        for name in EVENTS {
            let name = self.strings.make(name.as_bytes())?;
            self.names.borrow_mut().push(name);
        }
        for name in crate::value::TYPE_NAMES {
            let name = self.strings.make(name.as_bytes())?;
            self.kind_names.borrow_mut().push(name);
        }
        self.no_memory.set(self.strings.make(b"not enough memory")?);
        let Some(main) = Thread::new(&self.pool, true)? else { return Err(self.raise(Value::Nil)) };
        self.roots.main.set(Some(main));
        self.switch_to(main);
        self.base_frame();
        self.roots.registry.set(Some(Table::new(self)?));
        self.roots.globals.set(Some(Table::new(self)?));
        self.roots.loaded.set(Some(Table::new(self)?));
        self.registry().set(self, Value::Int(1), Value::Thread(main))?;
        self.registry().set(self, Value::Int(2), Value::Table(self.globals()))?;
        crate::stdlib::open(self)
    }

    /// The outermost call of a thread: the program that embeds the machine.
    pub(crate) fn base_frame(&self) {
        let thread = self.thread();
        let base = thread.values.up(1);
        thread.frames.push(Frame {
            base,
            results: thread.values,
            limit: Cell::new(base.up(1)),
            code: None,
            pc: Cell::new(Pc(0)),
            want: 0,
            extra: 0,
            flags: Cell::new(Flags(FRESH)),
        });
    }

    /// Runs `f` with this machine as the thread's current one. Everything that is done with values happens within.
    pub fn enter<R>(&self, f: impl FnOnce(&Vm) -> R) -> R {
        struct Leave(*const Vm);
        impl Drop for Leave {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        let here = 0u8;
        self.stack_limit.set((&raw const here as usize).saturating_sub(self.options.native_stack));
        let _leave = Leave(CURRENT.replace(self));
        let run = || metatrace::enter(&self.heap, || f(self));
        #[cfg(feature = "jit")]
        if let Some(jit) = &self.jit {
            return jit.enter(run);
        }
        run()
    }

    // What all share.

    #[inline(always)]
    pub fn thread(&self) -> Gc<Thread> {
        match self.thread.get() {
            Some(thread) => thread,
            None => unreachable!("a machine has a thread"),
        }
    }

    pub(crate) fn switch_to(&self, thread: Gc<Thread>) {
        self.thread.set(Some(thread));
        self.roots.current.set(Some(thread));
    }

    #[inline(always)]
    pub(crate) fn empty_values(&self) -> Gc<Values> {
        match self.empty_values.get() {
            Some(values) => values,
            None => unreachable!("made with the machine"),
        }
    }

    #[inline(always)]
    pub(crate) fn empty_entries(&self) -> Gc<Entries> {
        match self.empty_entries.get() {
            Some(entries) => entries,
            None => unreachable!("made with the machine"),
        }
    }

    pub(crate) fn new_entries(&self, count: usize) -> std::result::Result<Gc<Entries>, HeapFull> {
        Array::try_from_fn(count, |_| Entry { key: GcCell::new(Value::Nil), value: GcCell::new(Value::Nil) })
    }

    /// Calls `f` with an empty buffer, whose memory is used again.
    pub(crate) fn with_buffer<R>(&self, f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let mut buffer = self.buffer.take();
        buffer.clear();
        let result = f(&mut buffer);
        if buffer.capacity() <= 1 << 16 {
            self.buffer.set(buffer);
        }
        result
    }

    /// A list that keeps values alive.
    pub(crate) fn keep(&self) -> GcVec<Value> {
        GcVec::new()
    }

    pub fn event_name(&self, event: Event) -> Str {
        self.names.borrow()[event as usize]
    }

    /// The name of a kind of values, by `Value::type_index`.
    #[jit::elidable]
    pub(crate) fn kind_name(&self, index: usize) -> Str {
        self.kind_names.borrow()[index]
    }

    pub fn globals(&self) -> Gc<Table> {
        match self.roots.globals.get() {
            Some(globals) => globals,
            None => unreachable!("made with the machine"),
        }
    }

    pub(crate) fn loaded(&self) -> Gc<Table> {
        match self.roots.loaded.get() {
            Some(loaded) => loaded,
            None => unreachable!("made with the machine"),
        }
    }

    pub(crate) fn registry(&self) -> Gc<Table> {
        match self.roots.registry.get() {
            Some(registry) => registry,
            None => unreachable!("made with the machine"),
        }
    }

    /// A string.
    ///
    /// # Errors
    /// If memory is exhausted.
    #[inline]
    pub fn string(&self, bytes: &[u8]) -> Result<Value> {
        Ok(Value::Str(self.strings.make(bytes)?))
    }

    /// An empty table.
    ///
    /// # Errors
    /// If memory is exhausted.
    pub fn table(&self) -> Result<Gc<Table>> {
        Ok(Table::new(self)?)
    }

    /// Sets a field, without metamethods.
    ///
    /// # Errors
    /// If memory is exhausted.
    pub fn set_field(&self, table: Gc<Table>, name: &str, value: Value) -> Result<()> {
        let key = self.strings.make(name.as_bytes())?;
        if key.is_short() {
            return Ok(table.set_short(self, key, value, false)?);
        }
        Ok(table.set(self, Value::Str(key), value)?)
    }

    /// A field, without metamethods.
    ///
    /// # Errors
    /// If memory is exhausted.
    pub fn get_field(&self, table: Gc<Table>, name: &str) -> Result<Value> {
        let key = self.strings.make(name.as_bytes())?;
        Ok(table.get(&self.shapes, Value::Str(key)))
    }

    /// A function of Rust.
    ///
    /// # Errors
    /// If memory is exhausted.
    pub fn native(&self, function: NativeFn, upvalues: &[Value]) -> Result<Value> {
        self.known_native(function, Known::Other, upvalues)
    }

    /// A function of Rust that mostly needs no frame.
    pub(crate) fn leaf(&self, leaf: LeafFn, known: Known) -> Result<Value> {
        fn with_frame(call: Call<'_>) -> Result<usize> {
            match call.function() {
                Value::Native(native) => (native.leaf)(&call),
                _ => Ok(0),
            }
        }
        let native =
            Native { function: with_frame, leaf, known, upvalues: self.empty_values(), closure: None };
        Ok(Value::Native(Gc::try_new(native)?))
    }

    pub(crate) fn known_native(&self, function: NativeFn, known: Known, upvalues: &[Value]) -> Result<Value> {
        let cells = if upvalues.is_empty() {
            self.empty_values()
        } else {
            Array::try_from_fn(upvalues.len(), |index| GcCell::new(upvalues[index]))?
        };
        Ok(Value::Native(Gc::try_new(Native {
            function,
            leaf: no_leaf,
            known,
            upvalues: cells,
            closure: None,
        })?))
    }

    /// A function of Rust that has a state of its own, which must hold no reference into the heap.
    ///
    /// # Errors
    /// If memory is exhausted.
    pub fn closure(&self, function: impl Fn(Call<'_>) -> Result<usize> + 'static) -> Result<Value> {
        fn call(call: Call<'_>) -> Result<usize> {
            match call.function() {
                Value::Native(native) => match &native.as_ref().closure {
                    Some(closure) => closure(call),
                    None => Ok(0),
                },
                _ => Ok(0),
            }
        }
        let upvalues = self.empty_values();
        let native = Native {
            function: call,
            leaf: no_leaf,
            known: Known::Other,
            upvalues,
            closure: Some(Box::new(function)),
        };
        Ok(Value::Native(Gc::try_new(native)?))
    }

    /// A function from source or from what `string.dump` gave, if the mode allows it.
    pub(crate) fn load_mode(&self, source: &[u8], name: &[u8], env: Value, mode: &[u8]) -> Result<Value> {
        if source.first() == Some(&chunk::ESCAPE) {
            if !mode.contains(&b'b') {
                let mode = String::from_utf8_lossy(mode);
                let text = format!("attempt to load a binary chunk (mode is '{mode}')");
                return Err(self.raise_bytes(text.as_bytes()));
            }
            let (body, name) = chunk::read(source).map_err(|reason| {
                let shown: &[u8] = match name {
                    [b'@' | b'=', rest @ ..] => rest,
                    [chunk::ESCAPE, ..] => b"binary string",
                    _ => name,
                };
                self.raise_bytes(&[shown, b": bad binary format (", reason.as_bytes(), b")"].concat())
            })?;
            return Ok(Value::Function(self.instance(body, &name, env)?));
        }
        if !mode.contains(&b't') {
            let mode = String::from_utf8_lossy(mode);
            return Err(
                self.raise_bytes(format!("attempt to load a text chunk (mode is '{mode}')").as_bytes())
            );
        }
        Ok(Value::Function(self.load(source, name, env)?))
    }

    /// A function from source.
    ///
    /// # Errors
    /// If the source is not a program, with a message as its value.
    pub fn load(&self, source: &[u8], name: &[u8], env: Value) -> Result<Gc<Function>> {
        let name: Rc<[u8]> = name.into();
        let body = crate::compile::compile(source).map_err(|error| {
            let mut text = crate::error::chunk_id(&name);
            text.extend_from_slice(format!(":{}: ", error.line).as_bytes());
            text.extend_from_slice(&error.text);
            self.raise_bytes(&text)
        })?;
        self.instance(body, &name, env)
    }

    /// A function of code, with upvalues of its own: the first holds `env`, others nil.
    fn instance(&self, body: Body, name: &Rc<[u8]>, env: Value) -> Result<Gc<Function>> {
        let code = Code::new(self, body, name)?;
        let count = code.traced().upvalues.len();
        let first = Upvalue::closed(env)?;
        let upvalues = Array::try_from_fn(count, |_| GcCell::new(first))?;
        for index in 1..count {
            upvalues[index].set(Upvalue::closed(Value::Nil)?);
        }
        Ok(Gc::try_new(Function { code, upvalues })?)
    }

    // Errors.

    /// Raises a value.
    #[cold]
    #[jit::dont_look_inside]
    pub fn raise(&self, value: Value) -> Raised {
        self.roots.error.set(value);
        Raised
    }

    #[cold]
    #[jit::dont_look_inside]
    pub(crate) fn raise_bytes(&self, text: &[u8]) -> Raised {
        match self.string(text) {
            Ok(text) => self.raise(text),
            Err(raised) => raised,
        }
    }

    /// Raises a message with the position of the function that runs.
    #[cold]
    #[jit::dont_look_inside]
    pub fn error(&self, message: impl AsRef<[u8]>) -> Raised {
        let mut text = crate::error::position(self, 0);
        text.extend_from_slice(message.as_ref());
        self.raise_bytes(&text)
    }

    /// The value of the error that was raised.
    pub fn take_error(&self) -> Value {
        self.roots.error.replace(Value::Nil)
    }

    /// The metatable of strings.
    #[inline(always)]
    pub(crate) fn text_meta(&self) -> Option<Gc<Table>> {
        self.roots.metas[3].get()
    }

    /// The metatable of a value.
    #[inline]
    pub fn meta(&self, value: Value) -> Option<Gc<Table>> {
        match value {
            Value::Table(table) => table.meta(),
            Value::UserData(data) => data.meta.get(),
            _ => self.roots.metas[value.type_index()].get(),
        }
    }

    /// The metamethod of a value for an event; nil if it has none.
    #[inline]
    pub fn metamethod(&self, value: Value, event: Event) -> Value {
        match self.meta(value) {
            Some(meta) => self.metamethod_of(meta, event),
            None => Value::Nil,
        }
    }

    /// The slot of metatables of a shape for an event, by its number; [`ABSENT`](crate::function::ABSENT) if they have none.
    #[jit::elidable]
    pub(crate) fn event_slot(&self, shape: Shape, event: u8) -> u32 {
        match Event::ALL.get(usize::from(event)) {
            Some(event) => self.shapes.slot_of(shape, self.event_name(*event)),
            None => crate::function::ABSENT,
        }
    }

    /// What a metatable has for an event.
    #[inline]
    pub fn metamethod_of(&self, meta: Gc<Table>, event: Event) -> Value {
        if (event as u8) < 8 && meta.is_absent(event as u8) {
            return Value::Nil;
        }
        let found = meta.get_short(&self.shapes, self.event_name(event));
        if (event as u8) < 8 && found.is_nil() {
            meta.set_absent(event as u8);
        }
        found
    }

    // Finalizers.

    /// Has `__gc` of a value be called when the value is dead.
    pub(crate) fn finalize_at_death(&self, value: Value) {
        self.has_finalizers.set(true);
        match value {
            Value::Table(table) => table.on_death(|table| due(Value::Table(table))),
            Value::UserData(data) => data.on_death(|data| due(Value::UserData(data))),
            _ => {}
        }
    }

    /// Calls the finalizers of what is dead.
    #[cold]
    #[inline(never)]
    #[jit::dont_look_inside]
    pub(crate) fn run_finalizers(&self) {
        if self.finalizing.replace(true) {
            return;
        }
        self.heap.run_finalizers();
        let thread = self.thread();
        let flags = &thread.frames.last().flags;
        let before = flags.replace(Flags(flags.get().0 | FINALIZER));
        // In the reverse order of that in which they were set.
        while let Some(value) = self.roots.finalizable.pop() {
            let method = self.metamethod(value, Event::Gc);
            if !matches!(method, Value::Function(_) | Value::Native(_)) {
                continue;
            }
            let saved = self.take_error();
            let top = self.thread().top.get();
            let place = self.scratch().max(top);
            let result = self.protected(|| self.call_from(place, method, &[value], 0));
            self.thread().top.set(top);
            if let Err(error) = result {
                let text = crate::error::text_of(self, error);
                crate::stdlib::warn(self, &[b"error in __gc (".as_slice(), &text, b")"]);
            }
            self.raise(saved);
        }
        flags.set(before);
        self.finalizing.set(false);
    }

    /// Whether finalizers are due, those included that a merge point has taken from the heap.
    #[jit::dont_look_inside]
    fn finalizers_due(&self) -> bool {
        self.heap.has_finalizers_due() || !self.roots.finalizable.is_empty()
    }

    /// Runs finalizers that are due; to be called where code of the program may run.
    #[inline(always)]
    pub(crate) fn safe_point(&self) {
        if self.has_finalizers.get() && self.finalizers_due() {
            self.run_finalizers();
        }
    }

    /// Ends the program: calls all finalizers.
    pub fn close_state(&self) {
        if let Some(main) = self.roots.main.get() {
            let _ = self.protected(|| self.close(main.values.up(1), None, None));
        }
        for _ in 0..10 {
            self.heap.finalize_all();
            if !self.finalizers_due() {
                break;
            }
            self.run_finalizers();
        }
    }
}

fn due(value: Value) {
    with_current(|vm| vm.roots.finalizable.push(value));
}
