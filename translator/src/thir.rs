//! Typed bodies: what the front end hands to lowering.
//!
//! A [`Body`] is one function with every name resolved, every expression typed, every adjustment explicit. It is
//! *generic*: types mention the function's parameters, and callees are trait methods where rustc would leave them so.
//! A reader instantiates it by substituting [`Args`] into each type and asking
//! [`Program::resolve_instance`](crate::program::Program::resolve_instance) for each callee.
//!
//! **Places and values.** Every expression is either a place ([`ExprKind::is_place`]) or a value, and every operand
//! position takes one of the two, as its documentation says. A place becomes a value only through
//! [`ExprKind::Read`]; a value becomes a place only through [`ExprKind::Temp`]. Nothing else converts.
//!
//! **Order of evaluation** is the order in which operands are written in the variant, unless it says otherwise.
//!
//! **Scopes and drops.** [`ExprKind::Scope`] marks the ends at which Rust drops temporaries: every [`Temp`] with
//! [`TempLifetime::Scope`] inside it, not inside a deeper one, is dropped when it ends, in reverse order of creation.
//! A statement, a match arm's guard and body, an `if` condition, a loop body and a function body are wrapped in one
//! where rustc has one. A temporary with [`TempLifetime::Block`] is dropped with the variables of the block it stands
//! in, as if declared there. A [`Block`] drops its variables (and such temporaries) in reverse order of declaration
//! when it is left, after its tail expression's temporaries are dropped (edition 2024) or before (2021: the tail is
//! then not wrapped in a `Scope`). A match arm's bindings are dropped when the arm ends. Moved-out variables need
//! flags, which are the reader's: a move is `Read { mode: Move }` or a by-value binding of a place that is not `Copy`.
//! The value of an expression statement is dropped at once. Assignment drops the old value after evaluating the new.
//!
//! **Guarantees**: no inference variable, no error type; a body with errors is never handed out.
//!
//! [`Temp`]: ExprKind::Temp

use std::rc::Rc;

use crate::index_type;
use crate::items::ModId;
use crate::names::Name;
use crate::source::Span;
use crate::ty::{AdtId, Args, ClosureId, ClosureKind, ConstId, FnId, Mutability, StaticId, Ty};

index_type!(/** An expression of a [`Body`]. */ ExprId, "e");
index_type!(/** A pattern of a [`Body`]. */ PatId, "p");
index_type!(/** A variable of a [`Body`], its closures' variables included. */ LocalId, "v");
index_type!(/** A block of a [`Body`]. */ BlockId, "b");
index_type!(/** A loop or labelled block of a [`Body`]: what `break` and `continue` name. */ LoopId, "l");
index_type!(/** A captured place of a closure, by position. */ UpvarId, "u");
index_type!(/** A field of a struct or of an enum's variant, in declaration order. */ FieldIdx, "f");
index_type!(/** A variant of an enum, in declaration order; 0 for a struct. */ VariantIdx, "variant");

/// A function's typed body. Closures in it share its arenas.
pub struct Body {
    /// The function, or the constant or static whose initialiser this is.
    pub owner: BodyOwner,
    /// Parameters in order, `self` first.
    pub params: Vec<Param>,
    /// The declared result type.
    pub result: Ty,
    /// The body: a value of type `result`, wrapped in a [`ExprKind::Scope`].
    pub value: ExprId,
    /// Arena.
    pub exprs: Vec<Expr>,
    /// Arena.
    pub pats: Vec<Pat>,
    /// Arena.
    pub locals: Vec<Local>,
    /// Arena.
    pub blocks: Vec<Block>,
    /// Arena.
    pub loops: Vec<LoopInfo>,
    /// The closures written in this body, nested ones included.
    pub closures: Vec<ClosureBody>,
    /// For a portal: the loop with the merge point. Set exactly if the function is a portal.
    pub portal_loop: Option<LoopId>,
}

/// What a [`Body`] belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BodyOwner {
    /// A function or method.
    Fn(FnId),
    /// The initialiser of a constant (also of an enum's discriminant or an array length).
    Const(ConstId),
    /// The initialiser of a static.
    Static(StaticId),
}

/// One parameter: its type, and the pattern its value is bound by (irrefutable).
#[derive(Clone, Debug)]
pub struct Param {
    /// The pattern.
    pub pat: PatId,
    /// The type of the value passed.
    pub ty: Ty,
}

/// A variable.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name in the source (without marks of macro hygiene).
    pub name: Name,
    /// Its type. For a binding by reference: the reference's type.
    pub ty: Ty,
    /// Declared `mut`.
    pub mutable: bool,
    /// Where it is declared.
    pub span: Span,
    /// The closure whose variable it is; `None` for the function's own.
    pub closure: Option<ClosureId>,
    /// Some closure captures it by reference, or its address is taken by `&`, `&mut`, a `ref` binding or autoref.
    pub address_taken: bool,
}

/// A closure written in a body.
#[derive(Clone, Debug)]
pub struct ClosureBody {
    /// Its identity, in its type too.
    pub id: ClosureId,
    /// The strongest trait it implements.
    pub kind: ClosureKind,
    /// Its parameters, without the environment.
    pub params: Vec<Param>,
    /// Its result type.
    pub result: Ty,
    /// Its body: a value of type `result`. Variables of enclosing functions appear only as [`ExprKind::Upvar`].
    pub value: ExprId,
    /// What its environment holds, in order.
    pub captures: Vec<Capture>,
    /// Where it is written.
    pub span: Span,
    /// Its source.
    pub source: Rc<ClosureSource>,
}

/// A closure as it is written.
#[derive(Debug)]
pub struct ClosureSource {
    /// The whole expression.
    pub tokens: proc_macro2::TokenStream,
    /// The scope it stands in.
    pub scope: ModId,
    /// What `Self` means in it.
    pub self_ty: Option<Ty>,
}

/// One captured place.
#[derive(Clone, Debug)]
pub struct Capture {
    /// For messages: `self.regs`, `n`.
    pub name: Name,
    /// How it is captured.
    pub mode: CaptureMode,
    /// The captured place's own type. The environment's field has this type, or a reference to it.
    pub ty: Ty,
}

/// How a closure holds a captured place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum CaptureMode {
    /// Through `&`.
    Shared,
    /// Through `&mut` (also unique borrows of what a `&mut` variable points to).
    Mut,
    /// The value itself, copied or moved.
    Value,
}

/// A loop or labelled block.
#[derive(Clone, Debug)]
pub struct LoopInfo {
    /// Its label without the quote.
    pub label: Option<Name>,
    /// The type of the value `break` gives it; `()` for `while` and `for`, `!` for a loop never left by `break`.
    pub ty: Ty,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it does.
    pub kind: ExprKind,
    /// Its type: of the place, or of the value.
    pub ty: Ty,
    /// Where it is written; for generated expressions, what they were generated from.
    pub span: Span,
}

/// What an expression does. "(place)" and "(value)" say which kind an operand must be.
#[derive(Clone, Debug)]
pub enum ExprKind {
    // ---- places -------------------------------------------------------------------------------------------------
    /// A variable of this function, or, in a closure, of that closure.
    Local(LocalId),
    /// In a closure: the captured place itself. By-reference captures are already followed: for a capture by `&mut`
    /// of `x: i64` this is a place of type `i64`.
    Upvar(UpvarId),
    /// A static.
    Static(StaticId),
    /// A field of a struct, a tuple, or (only below a pattern's projection) an enum's variant. Base is a place.
    Field { base: ExprId, field: FieldIdx },
    /// Built-in indexing of an array or slice place by a `usize` value, with a bounds check.
    Index { base: ExprId, index: ExprId },
    /// What a pointer value (`&T`, `&mut T`, `*const T`, `*mut T`) points to. Operand is a value; overloaded
    /// dereferencing is a `Deref` of a call to `Deref::deref` or `DerefMut::deref_mut`. A `Box` is the exception: its
    /// operand is the box *place*, since its content may be moved out of it.
    Deref(ExprId),
    /// A fresh temporary, initialised with a value when evaluated.
    Temp { value: ExprId, lifetime: TempLifetime },

    // ---- values -------------------------------------------------------------------------------------------------
    /// The content of a place.
    Read { place: ExprId, mode: ReadMode },
    /// A literal of the expression's type. Negated literals are folded.
    Literal(Lit),
    /// A named constant; args are those of the enclosing impl or trait (then `args[0]` is `Self` and
    /// `resolve_const` selects the impl).
    Const { id: ConstId, args: Args },
    /// The value of a generic const parameter; its type is in the expression, its number in `Args` order.
    ConstParam { index: u32, name: Name },
    /// A function item as a value of its own zero-sized type.
    FnItem { id: FnId, args: Args },
    /// `&place` or `&mut place`; explicit, autoref, and reborrow alike.
    Borrow { mutability: Mutability, place: ExprId },
    /// `&raw const place` or `&raw mut place`.
    RawBorrow { mutability: Mutability, place: ExprId },
    /// `!` on `bool` or an integer, `-` on an integer or float (with an overflow check), built in.
    Unary { op: UnOp, value: ExprId },
    /// Built-in arithmetic, bit operations, shifts and comparisons on scalars. Both operands are values, left first.
    /// `+ - *` overflow, `/ %` by zero or overflowing, and shifts out of range panic as Rust defines; the shift amount may
    /// have another integer type.
    Binary { op: BinOp, left: ExprId, right: ExprId },
    /// `&&`, `||`; operands are `bool` values, each its own temporary scope on the right.
    Logical { and: bool, left: ExprId, right: ExprId },
    /// `as`, and the coercions that change representation.
    Cast { kind: CastKind, value: ExprId },
    /// `place = value`; the value is evaluated first, then the place, then the old content is dropped. Gives `()`.
    Assign { place: ExprId, value: ExprId },
    /// `place op= value` on scalars, built in: the value is evaluated first, then the place. Gives `()`.
    AssignOp { op: BinOp, place: ExprId, value: ExprId },
    /// A call; arguments are values, evaluated after a [`Callee::Value`] or [`Callee::Closure`] operand.
    Call { callee: Callee, args: Vec<ExprId> },
    /// A struct or enum value. Fields are values in *source order*. `base` (place) gives the fields not named.
    Adt { adt: AdtId, variant: VariantIdx, fields: Vec<(FieldIdx, ExprId)>, base: Option<ExprId> },
    /// A tuple of values.
    Tuple(Vec<ExprId>),
    /// `[a, b, c]` of values.
    Array(Vec<ExprId>),
    /// `[value; N]`; N is in the type.
    Repeat { value: ExprId },
    /// A closure value. Each operand makes one field of the environment, in the order of
    /// [`ClosureBody::captures`]: a `Borrow` or a `Read` of the captured place.
    Closure { id: ClosureId, captures: Vec<ExprId> },

    // ---- control flow (values) ----------------------------------------------------------------------------------
    /// Evaluates the operand; then drops the temporaries made in it.
    Scope(ExprId),
    /// A block.
    Block(BlockId),
    /// `if`. The condition is a `bool` value; [`ExprKind::Let`] may stand in it under `&&`, and its bindings live to the
    /// end of `then`. Without `els` the type is `()`.
    If { cond: ExprId, then: ExprId, els: Option<ExprId> },
    /// `let pat = place` as a condition.
    Let { place: ExprId, pat: PatId },
    /// `match` on a place. Exhaustive.
    Match { scrutinee: ExprId, arms: Vec<Arm> },
    /// Repeats the body (a `()` value) until left.
    Loop { id: LoopId, body: ExprId },
    /// Leaves a loop or labelled block; no value means `()`. Type `!`.
    Break { target: LoopId, value: Option<ExprId> },
    /// Starts the next turn of a loop. Type `!`.
    Continue { target: LoopId },
    /// Returns from the function or closure; no value means `()`. Type `!`.
    Return(Option<ExprId>),
    /// A value of type `!` where another type is wanted: never reached.
    NeverToAny(ExprId),
    /// Code that is not analysed: it becomes a generated function in the module's glue.
    Outlined(Rc<Outlined>),
}

impl ExprKind {
    /// Whether the expression is a place; every other is a value.
    pub fn is_place(&self) -> bool {
        matches!(
            self,
            ExprKind::Local(_)
                | ExprKind::Upvar(_)
                | ExprKind::Static(_)
                | ExprKind::Field { .. }
                | ExprKind::Index { .. }
                | ExprKind::Deref(_)
                | ExprKind::Temp { .. }
        )
    }
}

/// How long a temporary lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TempLifetime {
    /// To the end of the nearest enclosing [`ExprKind::Scope`].
    Scope,
    /// As long as the variables of the enclosing block (`let x = &temp();`).
    Block,
    /// For ever: a constant expression without drop glue or interior mutability (`&0`, `&[1, 2]`).
    Static,
}

impl Body {
    /// The functions that it names. A trait's method stands for those of all impls.
    pub fn called(&self) -> Vec<FnId> {
        let named = |e: &Expr| match e.kind {
            ExprKind::Call { callee: Callee::Fn { id, .. }, .. } | ExprKind::FnItem { id, .. } => Some(id),
            _ => None,
        };
        self.exprs.iter().filter_map(named).collect()
    }
}

/// How a place is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReadMode {
    /// The type is `Copy` under the function's bounds.
    Copy,
    /// The place is moved out of (an instance's type may still turn out to be `Copy`).
    Move,
}

/// What a call calls.
#[derive(Clone, Debug)]
pub enum Callee {
    /// A function item with all its arguments. For a trait's method `args[0]` is `Self`:
    /// `Program::resolve_instance` selects the impl once the types are known.
    Fn { id: FnId, args: Args },
    /// A function pointer (value).
    Value(ExprId),
    /// Anything callable through the closure traits: a closure, or a parameter `F: Fn(A) -> B`. The operand is a value:
    /// the callee by `&`, by `&mut`, or itself, as `kind` says. Arguments are not tupled.
    Closure { kind: ClosureKind, callee: ExprId },
}

/// Built-in unary operators.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnOp {
    /// `!`
    Not,
    /// `-`
    Neg,
}

/// Built-in binary operators.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl BinOp {
    /// Whether the result is `bool`.
    pub fn is_comparison(self) -> bool {
        matches!(self, BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge)
    }

    /// Whether the right operand may have another type.
    pub fn is_shift(self) -> bool {
        matches!(self, BinOp::Shl | BinOp::Shr)
    }

    /// The operator's text.
    pub fn symbol(self) -> &'static str {
        match self {
            BinOp::Add => "+",
            BinOp::Sub => "-",
            BinOp::Mul => "*",
            BinOp::Div => "/",
            BinOp::Rem => "%",
            BinOp::BitAnd => "&",
            BinOp::BitOr => "|",
            BinOp::BitXor => "^",
            BinOp::Shl => "<<",
            BinOp::Shr => ">>",
            BinOp::Eq => "==",
            BinOp::Ne => "!=",
            BinOp::Lt => "<",
            BinOp::Le => "<=",
            BinOp::Gt => ">",
            BinOp::Ge => ">=",
        }
    }
}

/// What a cast converts; source and destination types are those of operand and expression.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CastKind {
    /// Between integers, `bool`, `char`, `u8 as char`, a fieldless enum to an integer, float to integer (saturating),
    /// integer to float, float to float, or no change at all.
    Numeric,
    /// Pointer to pointer, thin or dropping metadata.
    Pointer,
    /// Pointer or function pointer to integer.
    PointerToInt,
    /// Integer to pointer.
    IntToPointer,
    /// `&[T; N]` → `&[T]`, `&T` → `&dyn Trait`, and the same behind `Box` and raw pointers.
    Unsize,
    /// A function item to a function pointer.
    ReifyFn,
    /// A closure without captures to a function pointer.
    ClosureToFn,
    /// `&mut [T; N]`/`&[T; N]` to a raw pointer to its element.
    ArrayToPointer,
}

/// A literal's value. Its type is that of the expression or pattern.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Lit {
    /// `bool`
    Bool(bool),
    /// `char`
    Char(char),
    /// An integer, as zero-extended two's complement bits of the type's width.
    Int(u128),
    /// `f32`, by its bits.
    F32(u32),
    /// `f64`, by its bits.
    F64(u64),
    /// `&'static str`
    Str(Name),
    /// `&'static [u8; N]`
    Bytes(Rc<[u8]>),
}

/// One arm of a match. Guard and body are evaluated with the pattern's bindings; the guard sees by-value bindings
/// as shared references, which makes no difference to a reader that binds after the guard only what moves.
#[derive(Clone, Debug)]
pub struct Arm {
    /// The pattern.
    pub pat: PatId,
    /// A `bool` value, possibly with [`ExprKind::Let`] under `&&`.
    pub guard: Option<ExprId>,
    /// The arm's value.
    pub body: ExprId,
}

/// A block's statements and value.
#[derive(Clone, Debug)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// The value; without one the block gives `()` or, if it never ends, `!`.
    pub tail: Option<ExprId>,
    /// Set if the block is labelled: `break 'label value` leaves it.
    pub label: Option<LoopId>,
}

/// A statement.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// `let pat = init else { … };` Without `init` the variables are declared only. `init` is a *place* if the pattern
    /// is not a plain by-value variable (then the pattern projects from it), a value otherwise. `els` diverges.
    Let { pat: PatId, init: Option<ExprId>, els: Option<BlockId>, span: Span },
    /// A value that is dropped.
    Expr(ExprId),
}

/// A pattern.
#[derive(Clone, Debug)]
pub struct Pat {
    /// What it matches.
    pub kind: PatKind,
    /// The type of the place it is matched against.
    pub ty: Ty,
    /// Where it is written.
    pub span: Span,
}

/// What a pattern matches; default binding modes are already made explicit.
#[derive(Clone, Debug)]
pub enum PatKind {
    /// `_`, `..`: does not even read the place.
    Wild,
    /// Binds a variable to the place's value or to a reference to it, then matches `sub` on the same place.
    Binding { local: LocalId, mode: BindingMode, sub: Option<PatId> },
    /// A variant of an enum, with patterns for some fields; or a struct's fields (variant 0, always matches).
    Variant { adt: AdtId, args: Args, variant: VariantIdx, fields: Vec<(FieldIdx, PatId)> },
    /// Elements of a tuple.
    Tuple(Vec<(FieldIdx, PatId)>),
    /// Through a reference or box: matches what the place's content points to.
    Deref(PatId),
    /// Equal to a literal: scalars by `==` (floats too), `&str` by content.
    Literal(Lit),
    /// A range of integers, chars or floats; a missing end is open. `hi` belongs to it if `inclusive`.
    Range { lo: Option<Lit>, hi: Option<Lit>, inclusive: bool },
    /// `[prefix @ .., rest @ .., suffix @ ..]` on an array or slice. Without `rest` the length must be exact.
    Slice { prefix: Vec<PatId>, rest: Option<PatId>, suffix: Vec<PatId> },
    /// Alternatives, tried in order; all bind the same variables.
    Or(Vec<PatId>),
}

/// How a pattern binds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BindingMode {
    /// Copies or moves, as the type says.
    Value(ReadMode),
    /// `ref` or `ref mut`, written or by default.
    Ref(Mutability),
}

/// Code kept as tokens. It becomes `fn(captures…) -> result { tokens }` in the glue of the module it stands in.
#[derive(Debug)]
pub struct Outlined {
    /// Its free variables, in order of first use.
    pub captures: Vec<OutlinedCapture>,
    /// The source, free of jumps out of it.
    pub tokens: proc_macro2::TokenStream,
    /// Why it is not analysed; for the report.
    pub reason: String,
    /// The module whose names it uses, as a path from the crate's root (`crate::a::b`).
    pub module: Name,
    /// The scope it stands in.
    pub scope: ModId,
    /// What `Self` means in it.
    pub self_ty: Option<Ty>,
}

/// A free variable of outlined code.
#[derive(Clone, Debug)]
pub struct OutlinedCapture {
    /// The name in the tokens.
    pub name: Name,
    /// How it is passed.
    pub mode: CaptureMode,
    /// The argument: `Borrow` or `Read` of the variable (value).
    pub value: ExprId,
}

impl Body {
    /// The expression.
    pub fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id.index()]
    }

    /// The pattern.
    pub fn pat(&self, id: PatId) -> &Pat {
        &self.pats[id.index()]
    }

    /// The variable.
    pub fn local(&self, id: LocalId) -> &Local {
        &self.locals[id.index()]
    }

    /// The block.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.index()]
    }

    /// The loop or labelled block.
    pub fn loop_info(&self, id: LoopId) -> &LoopInfo {
        &self.loops[id.index()]
    }

    /// The closure with this identity, if it is written here.
    pub fn closure(&self, id: ClosureId) -> Option<&ClosureBody> {
        self.closures.iter().find(|c| c.id == id)
    }
}
