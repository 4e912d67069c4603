//! `match`, and patterns elsewhere.
//!
//! The arms become *candidates*: each a list of tests that remain, and of bindings. The first test of the first candidate
//! that is not decided yet is made; for each outcome the candidates that may still match go on, in order. What cannot fail
//! (structs, tuples, references) is taken apart beforehand, so that equal tests of several arms are recognised as such. A
//! candidate without tests binds its variables, evaluates its guard, and goes to its arm.

use crate::flow::types::TypeId;
use crate::flow::{BlockId, OpKind, Terminator, ValueId};
use crate::lower::build::to;
use crate::lower::escape::{Step, array_steps};
use crate::lower::func::Lower;
use crate::lower::place::{Base, PlaceAt};
use crate::lower::{Result, unsupported};
use crate::source::Span;
use crate::thir::{
    Arm, BindingMode, ExprId, ExprKind, FieldIdx, Lit, LocalId, PatId, PatKind, ReadMode, VariantIdx,
};
use crate::ty::{FloatTy, Ty, TyKind};
use metatrace_defs::PureOp;

/// What remains to be tested and bound for one alternative of one arm.
#[derive(Clone)]
struct Candidate {
    tests: Vec<(PlaceAt, PatId)>,
    bindings: Vec<Binding>,
    arm: usize,
}

#[derive(Clone)]
struct Binding {
    local: LocalId,
    mode: BindingMode,
    place: PlaceAt,
    span: Span,
}

/// Where the arms are.
struct Outcome<'a> {
    /// The block of each arm, and its guard.
    arms: Vec<(BlockId, Option<&'a ExprId>)>,
    /// Where to go if nothing matches; none if that cannot be.
    otherwise: Option<BlockId>,
}

/// What a test asks of a place.
#[derive(PartialEq)]
enum Test {
    Variant,
    /// A scalar's value.
    Value,
    /// A yes-or-no question.
    Question(Question),
}

#[derive(Clone, PartialEq)]
enum Question {
    Equals(Lit),
    Range { lo: Option<Lit>, hi: Option<Lit>, inclusive: bool },
    Length { len: u64, exact: bool },
}

impl Lower<'_, '_> {
    pub(super) fn match_expr(&mut self, scrutinee: ExprId, arms: &[Arm], flow: TypeId) -> Result<ValueId> {
        let place = self.place(scrutinee)?;
        let operand_ty = self.operand_ty(flow);
        let result = self.b.var(operand_ty);
        let after = self.b.new_block();
        let blocks: Vec<BlockId> = arms.iter().map(|_| self.b.new_block()).collect();
        let outcome = Outcome {
            arms: blocks.iter().copied().zip(arms.iter().map(|a| a.guard.as_ref())).collect(),
            otherwise: None,
        };
        let depth = self.scopes.len();
        // The variables of all arms are declared before: an arm's are dropped when it ends.
        let mut scopes = Vec::new();
        for arm in arms {
            self.push_scope(false);
            self.declare_all(arm.pat);
            if let Some(guard) = arm.guard {
                self.declare_guard(guard)?;
            }
            scopes.extend(self.scopes.pop());
        }
        let candidates = arms
            .iter()
            .enumerate()
            .map(|(n, arm)| Candidate { tests: vec![(place.clone(), arm.pat)], bindings: vec![], arm: n })
            .collect();
        self.candidates(candidates, &outcome)?;
        for ((arm, block), scope) in arms.iter().zip(blocks).zip(scopes) {
            self.b.seal_and_switch(block);
            self.scopes.push(scope);
            let operand = self.value(arm.body)?;
            self.pop_scope();
            if !self.b.is_dead() {
                self.b.write(result, operand);
                self.b.goto(after);
            }
        }
        debug_assert_eq!(depth, self.scopes.len());
        self.b.seal_and_switch(after);
        if self.b.is_dead() {
            return Ok(self.nothing(flow));
        }
        Ok(self.b.read(result))
    }

    /// Tests one pattern; its variables are declared in the current scope.
    pub(super) fn test_pattern(
        &mut self,
        pat: PatId,
        place: &PlaceAt,
        yes: BlockId,
        no: BlockId,
    ) -> Result<()> {
        if !self.guard_lets.contains(&pat) {
            self.declare_all(pat);
        }
        let candidate = Candidate { tests: vec![(place.clone(), pat)], bindings: vec![], arm: 0 };
        self.candidates(vec![candidate], &Outcome { arms: vec![(yes, None)], otherwise: Some(no) })
    }

    /// Declares the variables that a guard binds for its arm.
    fn declare_guard(&mut self, guard: ExprId) -> Result<()> {
        match self.body.expr(guard).kind.clone() {
            ExprKind::Logical { and: true, left, right } => {
                self.declare_guard(left)?;
                self.declare_guard(right)
            }
            ExprKind::Scope(inner) => self.declare_guard(inner),
            ExprKind::Let { pat, .. } => {
                let before = self.roots.len();
                self.declare_all(pat);
                self.guard_lets.insert(pat);
                // It would have to be dropped where a later part of the guard fails.
                if self.roots[before..].iter().any(|root| root.flag.is_some()) {
                    let help = "bind by reference in the guard, or use `if let` in the arm";
                    return unsupported(
                        self.body.pat(pat).span,
                        "a guard that moves a value with a destructor into a variable is not supported",
                        help,
                    );
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Binds the variables of a pattern that always matches.
    pub(super) fn bind_irrefutable(&mut self, pat: PatId, place: PlaceAt) -> Result<()> {
        let after = self.b.new_block();
        self.declare_all(pat);
        let candidate = Candidate { tests: vec![(place, pat)], bindings: vec![], arm: 0 };
        self.candidates(vec![candidate], &Outcome { arms: vec![(after, None)], otherwise: None })?;
        self.b.seal_and_switch(after);
        Ok(())
    }

    /// Decides between candidates.
    fn candidates(&mut self, candidates: Vec<Candidate>, outcome: &Outcome) -> Result<()> {
        let mut ready = Vec::new();
        let mut known = Vec::new();
        for candidate in candidates {
            self.take_apart(candidate, &mut known, &mut ready)?;
        }
        let mut rest = ready.into_iter();
        // Candidates that match for sure.
        let first = loop {
            let Some(first) = rest.next() else {
                match outcome.otherwise {
                    Some(block) => self.b.goto(block),
                    None => self.b.end(Terminator::Unreachable),
                }
                return Ok(());
            };
            if !first.tests.is_empty() {
                break first;
            }
            let (block, guard) = outcome.arms[first.arm];
            let Some(&guard) = guard else {
                self.bind_all(&first.bindings, None)?;
                self.b.goto(block);
                return Ok(());
            };
            let next = self.b.new_block();
            self.guarded(&first, guard, block, next)?;
            self.b.seal_and_switch(next);
        };
        let mut all = vec![first];
        all.extend(rest);
        let (place, pat) = all[0].tests[0].clone();
        match self.test_of(pat) {
            Test::Variant => self.split_variants(&place, all, outcome),
            Test::Value => self.split_values(&place, all, outcome),
            Test::Question(question) => self.ask(&place, &question, all, outcome),
        }
    }

    /// A guard: it sees what is moved only as a reference, so moves happen after it.
    fn guarded(&mut self, candidate: &Candidate, guard: ExprId, block: BlockId, next: BlockId) -> Result<()> {
        let is_move = |b: &Binding| b.mode == BindingMode::Value(ReadMode::Move);
        let (moves, others): (Vec<Binding>, Vec<Binding>) =
            candidate.bindings.iter().cloned().partition(is_move);
        self.bind_all(&others, None)?;
        let mut own = Vec::new();
        for binding in &moves {
            if let Some(place) = self.locals.insert(binding.local, binding.place.clone()) {
                own.push((binding.local, place));
            }
        }
        let passed = self.b.new_block();
        self.condition(guard, passed, next)?;
        self.locals.extend(own);
        self.b.seal_and_switch(passed);
        self.bind_all(&moves, None)?;
        self.b.goto(block);
        Ok(())
    }

    fn bind_all(&mut self, bindings: &[Binding], _guard: Option<ExprId>) -> Result<()> {
        for binding in bindings {
            let to = self.locals[&binding.local].clone();
            let operand = match binding.mode {
                BindingMode::Ref(_) => self.address(&binding.place, to.flow),
                BindingMode::Value(mode) => {
                    let operand = self.read(&binding.place);
                    if mode == ReadMode::Move {
                        self.moved_out(&binding.place, binding.span)?;
                    }
                    operand
                }
            };
            self.store(&to, operand);
            if let Some((root, _)) = to.part {
                self.mark_init(root);
            }
        }
        Ok(())
    }

    // ---- taking apart -------------------------------------------------------------------------------------------

    /// Replaces tests that cannot fail by tests of the parts, and bindings; or-patterns by several candidates. `known` holds the
    /// pointers that were read so far.
    fn take_apart(
        &mut self,
        mut candidate: Candidate,
        known: &mut Vec<(PlaceAt, PlaceAt)>,
        out: &mut Vec<Candidate>,
    ) -> Result<()> {
        let mut at = 0;
        while at < candidate.tests.len() {
            let (place, id) = candidate.tests[at].clone();
            let body = std::rc::Rc::clone(&self.body);
            let pat = body.pat(id);
            let mut parts = Vec::new();
            match &pat.kind {
                PatKind::Wild => {}
                PatKind::Binding { local, mode, sub } => {
                    candidate.bindings.push(Binding {
                        local: *local,
                        mode: *mode,
                        place: place.clone(),
                        span: pat.span,
                    });
                    parts.extend(sub.map(|sub| (place, sub)));
                }
                PatKind::Tuple(fields) => {
                    for &(field, sub) in fields {
                        parts.push((self.part(&place, None, field), sub));
                    }
                }
                PatKind::Variant { variant, fields, .. } if !self.is_refutable(&place) => {
                    let is_enum =
                        matches!(self.get(place.flow), crate::flow::types::Type::Adt(adt) if adt.is_enum);
                    let variant = is_enum.then_some(*variant);
                    for &(field, sub) in fields {
                        parts.push((self.part(&place, variant, field), sub));
                    }
                }
                PatKind::Deref(sub) => {
                    let target = match known.iter().find(|(from, _)| *from == place) {
                        Some((_, target)) => target.clone(),
                        None => {
                            let pointer = self.read(&place);
                            let ty = self.inst(body.pat(*sub).ty);
                            let target = self.deref_value(pointer, ty);
                            known.push((place, target.clone()));
                            target
                        }
                    };
                    parts.push((target, *sub));
                }
                PatKind::Slice { prefix, rest, suffix } if matches!(place.ty.kind(), TyKind::Array(..)) => {
                    parts = self.slice_parts(&place, prefix, *rest, suffix);
                }
                PatKind::Or(list) => {
                    for &alternative in list {
                        let mut copy = candidate.clone();
                        copy.tests[at] = (place.clone(), alternative);
                        self.take_apart(copy, known, out)?;
                    }
                    return Ok(());
                }
                PatKind::Variant { .. }
                | PatKind::Literal(_)
                | PatKind::Range { .. }
                | PatKind::Slice { .. } => {
                    at += 1;
                    continue;
                }
            }
            candidate.tests.splice(at..=at, parts);
        }
        out.push(candidate);
        Ok(())
    }

    fn is_refutable(&self, place: &PlaceAt) -> bool {
        matches!(self.get(place.flow), crate::flow::types::Type::Adt(adt) if adt.is_enum && adt.variants.len() > 1)
    }

    /// The place of a field, with its type in this instance.
    fn part(&mut self, place: &PlaceAt, variant: Option<VariantIdx>, field: FieldIdx) -> PlaceAt {
        let ty = match *place.ty.kind() {
            TyKind::Tuple(parts) => parts[field.index()],
            _ => self.cx.program.field_ty(place.ty, variant.unwrap_or(VariantIdx(0)), field),
        };
        self.field(place, variant, field, ty)
    }

    /// The parts of an array or slice that is long enough.
    fn slice_parts(
        &mut self,
        place: &PlaceAt,
        prefix: &[PatId],
        rest: Option<PatId>,
        suffix: &[PatId],
    ) -> Vec<(PlaceAt, PatId)> {
        let elem = match *place.ty.kind() {
            TyKind::Array(elem, _) | TyKind::Slice(elem) => elem,
            _ => panic!("a slice pattern on {:?}", place.ty),
        };
        let usize = self.cx.usize();
        let len = self.len(place);
        let mut parts = Vec::new();
        for (n, &pat) in prefix.iter().enumerate() {
            parts.push((self.element(place, n as u64, elem), pat));
        }
        if let Some(rest) = rest {
            parts.extend(self.rest(place, prefix.len() + suffix.len(), prefix.len(), rest));
        }
        for (n, &pat) in suffix.iter().enumerate() {
            let back = self.b.constant(usize, (suffix.len() - n) as u64);
            let at = match self.b.known_const(len) {
                Some(len) => (self.element(place, len - (suffix.len() - n) as u64, elem), pat),
                None => {
                    let index = self.b.pure(usize, PureOp::IntSub, &[len, back]);
                    (self.element_at(place, index, elem), pat)
                }
            };
            parts.push(at);
        }
        parts
    }

    /// The middle of a slice, if the pattern looks at it.
    fn rest(&mut self, place: &PlaceAt, used: usize, skip: usize, rest: PatId) -> Option<(PlaceAt, PatId)> {
        let ty = self.inst(self.body.pat(rest).ty);
        if matches!(self.body.pat(rest).kind, PatKind::Wild) {
            return None;
        }
        let elem = match *ty.kind() {
            TyKind::Slice(elem) => elem,
            TyKind::Array(elem, _) => return Some((self.middle(place, used, skip, ty, elem), rest)),
            _ => panic!("the rest of an array or slice is a {ty:?}"),
        };
        let usize = self.cx.usize();
        let len = self.len(place);
        let used = self.b.constant(usize, used as u64);
        let skip = self.b.constant(usize, skip as u64);
        let rest_len = self.b.pure(usize, PureOp::IntSub, &[len, used]);
        let first = self.element_at(place, skip, elem);
        let pointer = self.cx.ref_to(first.flow, true);
        let address = self.address(&first, pointer);
        let flow = self.flow_ty(ty);
        let fat = self.cx.ref_to(flow, true);
        let pointer = self.b.op(fat, OpKind::MakeFat { address, len: rest_len });
        Some((PlaceAt { base: Base::Memory(pointer), path: vec![], ty, flow, part: None }, rest))
    }

    /// The middle of an array, as an array.
    fn middle(&mut self, place: &PlaceAt, used: usize, skip: usize, ty: Ty, elem: Ty) -> PlaceAt {
        let len = match place.ty.kind() {
            TyKind::Array(_, len) => len.const_value().unwrap_or_default() as u64,
            _ => panic!("the middle of {:?}", place.ty),
        };
        let flow = self.flow_ty(ty);
        let part = place.part.clone().map(|(root, mut path)| {
            let (_, middle, _): (Vec<Step>, Step, Vec<Step>) = array_steps(len, skip, used - skip);
            path.push(middle);
            (root, path)
        });
        let pointer = self.cx.ref_to(flow, true);
        let base = if len == used as u64 {
            // Nothing lies there.
            self.temp_memory(flow)
        } else {
            let at = self.memory(place);
            let whole = PlaceAt { base: Base::Memory(at.base), path: at.path, ..place.clone() };
            let first = self.element(&whole, skip as u64, elem);
            let to_element = self.cx.ref_to(first.flow, true);
            let address = self.address(&first, to_element);
            self.retype(pointer, address)
        };
        PlaceAt { base: Base::Memory(base), path: vec![], ty, flow, part }
    }

    // ---- tests --------------------------------------------------------------------------------------------------

    fn test_of(&self, pat: PatId) -> Test {
        let pat = self.body.pat(pat);
        let is_word = match self.inst(pat.ty).kind() {
            TyKind::Int(int) => int.bits() < 128,
            TyKind::Bool | TyKind::Char => true,
            _ => false,
        };
        match &pat.kind {
            PatKind::Variant { .. } => Test::Variant,
            PatKind::Literal(_) if is_word => Test::Value,
            PatKind::Literal(lit) => Test::Question(Question::Equals(lit.clone())),
            PatKind::Range { lo, hi, inclusive } => {
                Test::Question(Question::Range { lo: lo.clone(), hi: hi.clone(), inclusive: *inclusive })
            }
            PatKind::Slice { prefix, rest, suffix } => {
                let len = (prefix.len() + suffix.len()) as u64;
                Test::Question(Question::Length { len, exact: rest.is_none() })
            }
            other => panic!("{other:?} needs no test"),
        }
    }

    fn split_variants(&mut self, place: &PlaceAt, all: Vec<Candidate>, outcome: &Outcome) -> Result<()> {
        let variant_of = |lower: &Self, candidate: &Candidate| {
            let (n, &(_, pat)) = candidate.tests.iter().enumerate().find(|(_, (at, _))| at == place)?;
            match &lower.body.pat(pat).kind {
                PatKind::Variant { variant, fields, .. } => Some((n, *variant, fields.clone())),
                _ => None,
            }
        };
        let count = match self.get(place.flow) {
            crate::flow::types::Type::Adt(adt) => adt.variants.len(),
            _ => 0,
        };
        let mut variants: Vec<VariantIdx> = Vec::new();
        for candidate in &all {
            if let Some((_, variant, _)) = variant_of(self, candidate)
                && !variants.contains(&variant)
            {
                variants.push(variant);
            }
        }
        let index = self.variant_of(place);
        let cases: Vec<(u64, BlockId)> =
            variants.iter().map(|v| (u64::from(v.0), self.b.new_block())).collect();
        let default = (variants.len() < count).then(|| self.b.new_block());
        self.switch(index, &cases, default);
        for (&variant, &(_, block)) in variants.iter().zip(&cases) {
            let mut left = Vec::new();
            for candidate in &all {
                let mut candidate = candidate.clone();
                match variant_of(self, &candidate) {
                    None => left.push(candidate),
                    Some((n, of, fields)) if of == variant => {
                        let parts: Vec<_> =
                            fields.iter().map(|&(f, p)| (self.part(place, Some(variant), f), p)).collect();
                        candidate.tests.splice(n..=n, parts);
                        left.push(candidate);
                    }
                    Some(_) => {}
                }
            }
            self.b.seal_and_switch(block);
            self.candidates(left, outcome)?;
        }
        if let Some(block) = default {
            self.b.seal_and_switch(block);
            let left = all.into_iter().filter(|c| variant_of(self, c).is_none()).collect();
            self.candidates(left, outcome)?;
        }
        Ok(())
    }

    fn split_values(&mut self, place: &PlaceAt, all: Vec<Candidate>, outcome: &Outcome) -> Result<()> {
        let literal_of = |lower: &Self, candidate: &Candidate| {
            let (n, &(_, pat)) = candidate.tests.iter().enumerate().find(|(_, (at, _))| at == place)?;
            match &lower.body.pat(pat).kind {
                PatKind::Literal(lit) => Some((n, word_of(lit, place.ty))),
                _ => None,
            }
        };
        let mut words: Vec<u64> = Vec::new();
        for candidate in &all {
            if let Some((_, word)) = literal_of(self, candidate)
                && !words.contains(&word)
            {
                words.push(word);
            }
        }
        let value = self.read(place);
        let cases: Vec<(u64, BlockId)> = words.iter().map(|&w| (w, self.b.new_block())).collect();
        let complete = matches!(place.ty.kind(), TyKind::Bool) && words.len() == 2;
        let default = (!complete).then(|| self.b.new_block());
        self.switch(value, &cases, default);
        for &(word, block) in &cases {
            let mut left = Vec::new();
            for candidate in &all {
                let mut candidate = candidate.clone();
                match literal_of(self, &candidate) {
                    None => left.push(candidate),
                    Some((n, of)) if of == word => {
                        candidate.tests.remove(n);
                        left.push(candidate);
                    }
                    Some(_) => {}
                }
            }
            self.b.seal_and_switch(block);
            self.candidates(left, outcome)?;
        }
        if let Some(block) = default {
            self.b.seal_and_switch(block);
            let left = all.into_iter().filter(|c| literal_of(self, c).is_none()).collect();
            self.candidates(left, outcome)?;
        }
        Ok(())
    }

    /// Goes where a word says; two ways become a branch.
    pub(super) fn switch(&mut self, value: ValueId, cases: &[(u64, BlockId)], default: Option<BlockId>) {
        if let Some(known) = self.b.known_const(value) {
            match cases.iter().find(|(word, _)| *word == known).map(|c| c.1).or(default) {
                Some(block) => self.b.goto(block),
                None => self.b.end(Terminator::Unreachable),
            }
            return;
        }
        let is_bool = *self.get(self.b.ty(value)) == crate::flow::types::Type::Bool;
        match (cases, default) {
            (&[(_, only)], None) | (&[], Some(only)) => self.b.goto(only),
            (&[(word, block)], Some(default)) | (&[(word, block), (_, default)], None) if is_bool => {
                let (yes, no) = if word != 0 { (block, default) } else { (default, block) };
                self.b.branch(value, yes, no);
            }
            (&[(word, block)], Some(default)) | (&[(word, block), (_, default)], None) => {
                let ty = self.b.ty(value);
                let bool = self.cx.bool();
                let word = self.b.constant(ty, word);
                let is = self.b.pure(bool, PureOp::IntEq, &[value, word]);
                self.b.branch(is, block, default);
            }
            _ => {
                let cases = cases.iter().map(|&(word, block)| (word, to(block))).collect();
                self.b.end(Terminator::Switch { value, cases, default: default.map(to) });
            }
        }
    }

    fn ask(
        &mut self,
        place: &PlaceAt,
        question: &Question,
        all: Vec<Candidate>,
        outcome: &Outcome,
    ) -> Result<()> {
        let asks = |lower: &Self, candidate: &Candidate| {
            candidate
                .tests
                .iter()
                .position(|(at, pat)| at == place && lower.test_of(*pat) == Test::Question(question.clone()))
        };
        let answer = self.answer(place, question)?;
        let (yes, no) = (self.b.new_block(), self.b.new_block());
        self.b.branch(answer, yes, no);
        self.b.seal_and_switch(yes);
        let mut left = Vec::new();
        for candidate in &all {
            let mut candidate = candidate.clone();
            if let Some(n) = asks(self, &candidate) {
                let (_, pat) = candidate.tests[n];
                let parts = match self.body.pat(pat).kind.clone() {
                    PatKind::Slice { prefix, rest, suffix } => {
                        self.slice_parts(place, &prefix, rest, &suffix)
                    }
                    _ => vec![],
                };
                candidate.tests.splice(n..=n, parts);
            }
            left.push(candidate);
        }
        self.candidates(left, outcome)?;
        self.b.seal_and_switch(no);
        let left = all.into_iter().filter(|c| asks(self, c).is_none()).collect();
        self.candidates(left, outcome)
    }

    fn answer(&mut self, place: &PlaceAt, question: &Question) -> Result<ValueId> {
        let bool = self.cx.bool();
        match question {
            Question::Length { len, exact } => {
                let usize = self.cx.usize();
                let have = self.len(place);
                let len = self.b.constant(usize, *len);
                Ok(match exact {
                    true => self.b.pure(bool, PureOp::IntEq, &[have, len]),
                    false => self.b.pure(bool, PureOp::UintLe, &[len, have]),
                })
            }
            Question::Range { lo, hi, inclusive } => {
                let value = self.read(place);
                let mut answer = None;
                if let Some(lo) = lo {
                    let lo = self.literal(lo, place.ty);
                    answer = Some(self.less(place.ty, lo, value, true));
                }
                if let Some(hi) = hi {
                    let hi = self.literal(hi, place.ty);
                    let below = self.less(place.ty, value, hi, *inclusive);
                    answer = Some(match answer {
                        Some(above) => self.b.pure(bool, PureOp::IntAnd, &[above, below]),
                        None => below,
                    });
                }
                Ok(answer.unwrap_or_else(|| self.flag_value(true)))
            }
            Question::Equals(lit) => {
                let value = self.read(place);
                let expected = self.literal(lit, place.ty);
                match *place.ty.kind() {
                    TyKind::Float(FloatTy::F64) => Ok(self.b.pure(bool, PureOp::FloatEq, &[value, expected])),
                    TyKind::Float(FloatTy::F32) => Ok(self.b.pure(bool, PureOp::F32Eq, &[value, expected])),
                    _ => {
                        let name = self.cx.spell(place.ty);
                        let text = format!("|a: {name}, b: {name}| -> bool {{ a == b }}");
                        let flow = place.flow;
                        Ok(self.call_helper("equal", text, &[(value, flow), (expected, flow)], bool, false))
                    }
                }
            }
        }
    }
}

fn word_of(lit: &Lit, ty: Ty) -> u64 {
    match (lit, ty.kind()) {
        (Lit::Bool(b), _) => u64::from(*b),
        (Lit::Char(c), _) => u64::from(u32::from(*c)),
        (Lit::Int(bits), TyKind::Int(int)) => crate::lower::expr::canonical(*bits, *int),
        (lit, _) => panic!("{lit:?} is no word"),
    }
}
