//! Enums in memory, by their [`EnumLayout`].
//!
//! A whole enum with a tag is read by a switch over its variants, each of which reads its payload; it is written the
//! same way, without the switch where the variant is known. What has accessors is read and written by calls; what is probed
//! at start-up is in `probed`.

use metatrace_defs::descr::{Reach, Scalar, access_flag};
use metatrace_defs::{Kind, PureOp};
use metatrace_translator::flow::types::{Type, TypeId, Types};

use super::memory::Address;
use super::{Builder, Lowered};
use crate::layout::{self, EnumLayout};
use crate::scalar::{Block, Src, Target, Term};
use crate::tables::{ClassKey, ShimKind};

impl Builder<'_> {
    /// The address of a field of a variant.
    pub(super) fn variant_field(
        &mut self,
        mut address: Address,
        of: TypeId,
        variant: u32,
        field: u32,
    ) -> Lowered<Address> {
        match layout::enum_layout(self.types(), of) {
            EnumLayout::Tag(..) => Ok(self.field(address, of, variant, field)),
            EnumLayout::Null { .. } => {
                self.enter(&mut address, of, variant, field);
                Ok(address)
            }
            EnumLayout::Nothing => panic!("a field of {}", self.types().data(of).rust),
            EnumLayout::Probed => self.probed_field(&address, of, variant, field),
            EnumLayout::Accessors => {
                let base = self.projected(&address, of, variant, field)?;
                let mut inner = address.at(base);
                self.enter(&mut inner, of, variant, field);
                Ok(inner)
            }
        }
    }

    /// The address of a field of a variant, by an accessor.
    pub(super) fn projected(
        &mut self,
        address: &Address,
        of: TypeId,
        variant: u32,
        field: u32,
    ) -> Lowered<Src> {
        let base = self.materialise(address);
        let kind = ShimKind::Project(of, variant, field);
        Ok(self.accessor(kind, address, &[base], &[Kind::Word])?[0])
    }

    /// The index of the variant of the enum at an address.
    pub(super) fn load_variant(&mut self, address: &Address, ty: TypeId) -> Lowered<Src> {
        match layout::enum_layout(self.types(), ty) {
            EnumLayout::Nothing => Ok(self.word(0)),
            EnumLayout::Tag(scalar, tags) => {
                let tag = self.get_tag(address, ty, scalar);
                Ok(self.variant_of_tag(tag, scalar, &tags))
            }
            EnumLayout::Null { some } => {
                let payload = self.variant_field(address.clone(), ty, some, 0)?;
                let pointer = self.field_types(ty, some)[0];
                let pointer = self.load(&payload, pointer)?[0];
                Ok(self.variant_of_pointer(pointer, some))
            }
            EnumLayout::Probed => self.probed_variant(address, ty),
            EnumLayout::Accessors => self.variant_by_call(address, ty),
        }
    }

    pub(super) fn variant_by_call(&mut self, address: &Address, ty: TypeId) -> Lowered<Src> {
        let base = self.materialise(address);
        Ok(self.accessor(ShimKind::Variant(ty), address, &[base], &[Kind::Word])?[0])
    }

    pub(super) fn load_by_call(&mut self, address: &Address, ty: TypeId) -> Lowered<Vec<Src>> {
        let base = self.materialise(address);
        let kinds = self.kinds(ty);
        self.accessor(ShimKind::Load(ty), address, &[base], &kinds)
    }

    pub(super) fn store_by_call(&mut self, address: &Address, ty: TypeId, scalars: &[Src]) -> Lowered<()> {
        let base = self.materialise(address);
        let args: Vec<Src> = [base].into_iter().chain(scalars.iter().copied()).collect();
        self.accessor(ShimKind::Store(ty), address, &args, &[])?;
        Ok(())
    }

    pub(super) fn get_tag(&mut self, address: &Address, ty: TypeId, scalar: Scalar) -> Src {
        let flags = match address.is_mutable {
            true => access_flag::INTERIOR_MUT,
            false => 0,
        };
        let mut address = address.clone();
        if address.reach == Reach::Leaf {
            address.reach = Reach::Class;
        }
        self.get(&address.named("tag"), scalar, 0, ClassKey::Tag(ty), flags)
    }

    pub(super) fn set_tag(&mut self, address: &Address, ty: TypeId, scalar: Scalar, tag: Src) {
        let mut address = address.clone();
        if address.reach == Reach::Leaf {
            address.reach = Reach::Class;
        }
        self.set(&address.named("tag"), scalar, 0, ClassKey::Tag(ty), 0, tag);
    }

    /// The index of the variant with this tag.
    fn variant_of_tag(&mut self, tag: Src, scalar: Scalar, tags: &[u64]) -> Src {
        if tags.iter().enumerate().all(|(n, &tag)| n as u64 == tag) {
            return tag;
        }
        let first = tags[0];
        if tags.iter().enumerate().all(|(n, &tag)| first.wrapping_add(n as u64) == tag) {
            let first = self.word(first);
            return self.pure(PureOp::IntSub, &[tag, first]);
        }
        debug_assert!(scalar != Scalar::Float);
        let last = tags.len() - 1;
        let mut index = self.word(last as u64);
        for (n, &value) in tags[..last].iter().enumerate().rev() {
            let value = self.word(value);
            let is_it = self.pure(PureOp::IntEq, &[tag, value]);
            let n = self.word(n as u64);
            index = self.pure(PureOp::IntSelect, &[is_it, n, index]);
        }
        index
    }

    /// The tag of the variant with this index.
    fn tag_of_variant(&mut self, index: Src, tags: &[u64]) -> Src {
        if tags.iter().enumerate().all(|(n, &tag)| n as u64 == tag) {
            return index;
        }
        let first = tags[0];
        if tags.iter().enumerate().all(|(n, &tag)| first.wrapping_add(n as u64) == tag) {
            let first = self.word(first);
            return self.pure(PureOp::IntAdd, &[index, first]);
        }
        let last = tags.len() - 1;
        let mut tag = self.word(tags[last]);
        for (n, &value) in tags[..last].iter().enumerate().rev() {
            let n = self.word(n as u64);
            let is_it = self.pure(PureOp::IntEq, &[index, n]);
            let value = self.word(value);
            tag = self.pure(PureOp::IntSelect, &[is_it, value, tag]);
        }
        tag
    }

    fn variant_of_pointer(&mut self, pointer: Src, some: u32) -> Src {
        let null = self.word(0);
        let op = if some == 1 { PureOp::IntNe } else { PureOp::IntEq };
        self.pure(op, &[pointer, null])
    }

    pub(super) fn load_enum(&mut self, address: &Address, ty: TypeId) -> Lowered<Vec<Src>> {
        let count = self.kinds(ty).len();
        match layout::enum_layout(self.types(), ty) {
            EnumLayout::Nothing => Ok(vec![self.word(0)]),
            EnumLayout::Tag(scalar, tags) => {
                let tag = self.get_tag(address, ty, scalar);
                let variant = self.variant_of_tag(tag, scalar, &tags);
                let mut out = vec![variant];
                if count > 1 {
                    out.extend(self.load_payload(address, ty, variant, count - 1)?);
                }
                Ok(out)
            }
            EnumLayout::Null { some } => {
                let payload = self.variant_field(address.clone(), ty, some, 0)?;
                let pointer = self.field_types(ty, some)[0];
                let words = self.load(&payload, pointer)?;
                let mut out = vec![self.variant_of_pointer(words[0], some)];
                out.extend(words);
                Ok(out)
            }
            EnumLayout::Probed => self.load_probed(address, ty),
            EnumLayout::Accessors => self.load_by_call(address, ty),
        }
    }

    /// The payload words of the enum at an address, whose variant is `variant`.
    pub(super) fn load_payload(
        &mut self,
        address: &Address,
        ty: TypeId,
        variant: Src,
        words: usize,
    ) -> Lowered<Vec<Src>> {
        let join = self.out.block();
        let params: Vec<_> = (0..words).map(|_| self.out.reg(Kind::Word)).collect();
        self.out.blocks[join.index()].params = params.clone();
        let arms = self.variant_arms(ty, variant, join, words);
        for (variant, block) in arms {
            self.current = block;
            let mut payload = Vec::new();
            for (n, field) in self.field_types(ty, variant).into_iter().enumerate() {
                let place = self.field(address.clone(), ty, variant, n as u32);
                let scalars = self.load(&place, field)?;
                payload.extend(self.to_words(scalars));
            }
            let nothing = self.word(0);
            payload.resize(words, nothing);
            self.end(Term::Goto(Target { block: join, args: payload }), join);
        }
        self.current = join;
        Ok(params.into_iter().map(Src::Reg).collect())
    }

    /// Ends the current block with a switch over the variants of an enum: a new block for each variant with fields, the
    /// others go to `join` with `words` zeros.
    pub(super) fn variant_arms(
        &mut self,
        ty: TypeId,
        variant: Src,
        join: Block,
        words: usize,
    ) -> Vec<(u32, Block)> {
        let Type::Adt(adt) = self.types().get(ty) else {
            panic!("{} is no enum", self.types().data(ty).rust)
        };
        let zero = self.word(0);
        let mut arms = Vec::new();
        let mut cases = Vec::new();
        let mut empty = None;
        for (n, data) in adt.variants.iter().enumerate() {
            let to_join = Target { block: join, args: vec![zero; words] };
            if data.fields.is_empty() {
                // All variants without a payload go the same way: no need to tell them apart.
                empty = Some(to_join);
                continue;
            }
            let block = self.out.block();
            arms.push((n as u32, block));
            cases.push((n as u64, Target { block, args: vec![] }));
        }
        let term = self.switch(variant, cases, empty);
        self.end(term, join);
        arms
    }

    pub(super) fn store_enum(&mut self, address: &Address, ty: TypeId, scalars: &[Src]) -> Lowered<()> {
        match layout::enum_layout(self.types(), ty) {
            EnumLayout::Nothing => Ok(()),
            EnumLayout::Tag(scalar, tags) => {
                let tag = self.tag_of_variant(scalars[0], &tags);
                self.store_payloads(address, ty, scalars)?;
                self.set_tag(address, ty, scalar, tag);
                Ok(())
            }
            EnumLayout::Null { some } => {
                let payload = self.variant_field(address.clone(), ty, some, 0)?;
                let pointer = self.field_types(ty, some)[0];
                let mut words = scalars[1..].to_vec();
                let (zero, some) = (self.word(0), self.word(u64::from(some)));
                let is_some = self.pure(PureOp::IntEq, &[scalars[0], some]);
                words[0] = match self.known(is_some) {
                    Some(0) => zero,
                    Some(_) => words[0],
                    None => self.pure(PureOp::IntSelect, &[is_some, words[0], zero]),
                };
                self.store(&payload, pointer, &words)
            }
            EnumLayout::Probed => self.store_probed(address, ty, scalars),
            EnumLayout::Accessors => self.store_by_call(address, ty, scalars),
        }
    }

    /// Writes the payload of whatever variant it is, what may hold references first.
    ///
    /// An object that was optimised away so far may be made where it is stored, and that may collect: at that moment memory
    /// must hold what its tag says. So the tag is written last, and nothing but references is written before the last
    /// reference is.
    pub(super) fn store_payloads(&mut self, address: &Address, ty: TypeId, scalars: &[Src]) -> Lowered<()> {
        if scalars.len() == 1 {
            return Ok(());
        }
        if let Some(variant) = self.known(scalars[0]) {
            return self.store_payload(address, ty, variant as u32, &scalars[1..]);
        }
        let join = self.out.block();
        for (variant, block) in self.variant_arms(ty, scalars[0], join, 0) {
            self.current = block;
            self.store_payload(address, ty, variant, &scalars[1..])?;
            self.end(Term::Goto(Target { block: join, args: vec![] }), join);
        }
        self.current = join;
        Ok(())
    }

    fn store_payload(&mut self, address: &Address, ty: TypeId, variant: u32, words: &[Src]) -> Lowered<()> {
        let mut at = 0;
        let mut fields = Vec::new();
        for (n, field) in self.field_types(ty, variant).into_iter().enumerate() {
            let kinds = self.kinds(field);
            let scalars = self.from_words(&words[at..at + kinds.len()], &kinds);
            at += kinds.len();
            fields.push((n as u32, field, scalars));
        }
        fields.sort_by_key(|&(_, field, _)| !may_refer(self.types(), field));
        for (n, field, scalars) in fields {
            let place = self.field(address.clone(), ty, variant, n);
            self.store(&place, field, &scalars)?;
        }
        Ok(())
    }
}

/// Whether a pointer is in a value of the type.
fn may_refer(types: &Types, ty: TypeId) -> bool {
    match types.get(ty) {
        pointer if pointer.is_pointer() => true,
        Type::Box(_) | Type::Vec(_) | Type::String | Type::Opaque(_) => true,
        other => other.parts().into_iter().any(|part| may_refer(types, part)),
    }
}

impl Address {
    pub(super) fn named(&self, part: &str) -> Address {
        let mut address = self.clone();
        address.append(part);
        address
    }
}
