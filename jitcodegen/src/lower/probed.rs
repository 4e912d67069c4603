//! Enums in memory whose layout is found out when the program starts (`shape`).
//!
//! Jitcode has the instructions for every encoding, and branches on load-time constants to the one that is: recording
//! takes such branches without a guard. Where the shape could not be found out, accessors are called.
//!
//! A tag is read as one byte, and written with as many as rustc may read. A niche is read and written as the scalar of the
//! payload that it is, in that scalar's alias class: so a store of a payload is seen by who reads the variant.

use metatrace_defs::descr::{Flags, Scalar};
use metatrace_defs::jitcode::Constant;
use metatrace_defs::{Kind, PureOp};
use metatrace_translator::flow::types::{Type, TypeId};

use super::memory::Address;
use super::{Builder, Lowered};
use crate::layout::{self, EnumLayout, Offset};
use crate::scalar::{Block, Src, Target, Term};
use crate::shape::{self, End, Niche, Step};
use crate::tables::ClassKey;

/// How a shape is told, as `EnumShape` numbers it.
const TAG: u64 = 1;
const NICHE: u64 = 2;

impl Builder<'_> {
    /// A number of an enum's shape.
    fn shape(&mut self, ty: TypeId, part: &str) -> Src {
        self.cx.tables.shape(self.types(), ty);
        let offset = shape::part(self.types(), ty, part);
        self.load_time(&offset)
    }

    fn load_time(&mut self, offset: &Offset) -> Src {
        let value = self.cx.tables.load_time(offset);
        let name = offset.terms.first().map_or(String::new(), |term| term.name.clone());
        self.out.constant(Constant { value, name, frozen: false }, Kind::Word)
    }

    /// A block to go on in, which gets so many words.
    fn join(&mut self, words: usize) -> (Block, Vec<Src>) {
        let block = self.out.block();
        let params: Vec<_> = (0..words).map(|_| self.out.reg(Kind::Word)).collect();
        self.out.blocks[block.index()].params = params.clone();
        (block, params.into_iter().map(Src::Reg).collect())
    }

    fn goto(&mut self, block: Block, args: Vec<Src>) {
        self.end(Term::Goto(Target { block, args }), block);
    }

    /// Branches on whether the shape is known: goes on where it is; returns the block where it is not.
    fn if_known(&mut self, ty: TypeId) -> Block {
        let how = self.shape(ty, "how");
        let (known, calls) = (self.out.block(), self.out.block());
        let to = |block| Target { block, args: vec![] };
        self.end(Term::If(how, to(known), to(calls)), known);
        calls
    }

    /// The number of variants.
    fn variant_count(&self, ty: TypeId) -> usize {
        match self.types().get(ty) {
            Type::Adt(adt) => adt.variants.len(),
            _ => panic!("{} is no enum", self.types().data(ty).rust),
        }
    }

    /// The address of a field of a variant.
    pub(super) fn probed_field(
        &mut self,
        address: &Address,
        of: TypeId,
        variant: u32,
        field: u32,
    ) -> Lowered<Address> {
        let (join, base) = self.join(1);
        let calls = self.if_known(of);
        let place = self.field(address.clone(), of, variant, field);
        let direct = self.materialise(&place);
        self.goto(join, vec![direct]);
        self.current = calls;
        let called = self.projected(address, of, variant, field)?;
        self.goto(join, vec![called]);
        let mut inner = address.at(base[0]);
        self.enter(&mut inner, of, variant, field);
        Ok(inner)
    }

    /// The index of the variant of the enum at an address.
    pub(super) fn probed_variant(&mut self, address: &Address, ty: TypeId) -> Lowered<Src> {
        if self.variant_count(ty) == 1 {
            return Ok(self.word(0));
        }
        let (join, variant) = self.join(1);
        let calls = self.if_known(ty);
        let known = self.known_variant(address, ty)?;
        self.goto(join, vec![known]);
        self.current = calls;
        let called = self.variant_by_call(address, ty)?;
        self.goto(join, vec![called]);
        Ok(variant[0])
    }

    /// The index of the variant where the shape is known.
    fn known_variant(&mut self, address: &Address, ty: TypeId) -> Lowered<Src> {
        if self.variant_count(ty) == 1 {
            return Ok(self.word(0));
        }
        let (join, variant) = self.join(1);
        let how = self.shape(ty, "how");
        let (tag, niche, only) = (self.out.block(), self.out.block(), self.out.block());
        let to = |block| Target { block, args: vec![] };
        self.end(Term::Switch(how, vec![(TAG, to(tag)), (NICHE, to(niche))], to(only)), tag);
        let place = self.tag_place(address, ty);
        let tag = self.get_tag(&place, ty, Scalar::U8);
        self.goto(join, vec![tag]);
        self.current = niche;
        for (block, niche) in self.niche_blocks(ty) {
            self.current = block;
            let (place, scalar, class) = self.niche_place(address, &niche);
            let flags = self.niche_flags(&place, &niche);
            let value = self.get(&place, scalar, niche_plus(&niche), class, flags);
            self.variant_of_niche(ty, &niche, value, join);
        }
        self.current = only;
        let only = self.shape(ty, "only");
        self.goto(join, vec![only]);
        self.current = join;
        Ok(variant[0])
    }

    /// Where the tag is.
    fn tag_place(&mut self, address: &Address, ty: TypeId) -> Address {
        let mut place = address.clone();
        self.cx.tables.shape(self.types(), ty);
        place.advance(&shape::part(self.types(), ty, "tag_offset"));
        place
    }

    /// The scalars that may be the niche, each with the block that is entered if it is that one.
    fn niche_blocks(&mut self, ty: TypeId) -> Vec<(Block, Niche)> {
        let niches = shape::niches(self.types(), ty);
        if niches.is_empty() {
            self.end(Term::Unreachable, self.current);
            return vec![];
        }
        let leaf = self.shape(ty, "leaf");
        let blocks: Vec<Block> = niches.iter().map(|_| self.out.block()).collect();
        let to = |block: Block| Target { block, args: vec![] };
        let mut cases: Vec<(u64, Target)> =
            blocks.iter().enumerate().map(|(n, &block)| (n as u64, to(block))).collect();
        let last = cases.pop().expect("there is a niche").1;
        let term = if cases.is_empty() { Term::Goto(last) } else { Term::Switch(leaf, cases, last) };
        self.end(term, blocks[0]);
        blocks.into_iter().zip(niches).collect()
    }

    /// Goes to `join` with the variant that a niche's value stands for.
    fn variant_of_niche(&mut self, ty: TypeId, niche: &Niche, value: Src, join: Block) {
        let own = variant_of(niche);
        let start = self.shape(ty, "start");
        if self.variant_count(ty) == 2 {
            let op = if own == 1 { PureOp::IntNe } else { PureOp::IntEq };
            let variant = self.pure(op, &[value, start]);
            return self.goto(join, vec![variant]);
        }
        let (count, first) = (self.shape(ty, "count"), self.shape(ty, "first"));
        let index = self.pure(PureOp::IntSub, &[value, start]);
        let is_other = self.pure(PureOp::UintLt, &[index, count]);
        let other = self.out.block();
        let own = self.word(own.into());
        let (yes, no) = (Target { block: other, args: vec![] }, Target { block: join, args: vec![own] });
        self.end(Term::If(is_other, yes, no), other);
        let variant = self.pure(PureOp::IntAdd, &[index, first]);
        self.goto(join, vec![variant]);
    }

    /// Where a niche is, as what it stands there, and its class.
    fn niche_place(&mut self, address: &Address, niche: &Niche) -> (Address, Scalar, ClassKey) {
        let mut place = address.clone();
        for step in &niche.path {
            place = match *step {
                Step::Field(of, field) => self.field(place, of, 0, field),
                Step::Variant(of, variant, field) => match layout::enum_layout(self.types(), of) {
                    EnumLayout::Probed | EnumLayout::Tag(..) => self.field(place, of, variant, field),
                    _ => {
                        self.enter(&mut place, of, variant, field);
                        place
                    }
                },
                Step::Element(of) => self.parts(&place, of).swap_remove(0).0,
            };
        }
        let class = match niche.end {
            End::Word(leaf, word) => self.leaf_class(&place, leaf, word),
            End::Container(of, part) => {
                place = self.field(place, of, 0, part);
                ClassKey::Container(of)
            }
            End::Tag(of) => {
                if layout::enum_layout(self.types(), of) == EnumLayout::Probed {
                    place = self.tag_place(&place, of);
                }
                ClassKey::Tag(of)
            }
        };
        (place, niche.scalar, class)
    }

    fn niche_flags(&self, place: &Address, niche: &Niche) -> Flags {
        match niche.end {
            End::Word(leaf, word) => self.leaf_flags(place, leaf, word),
            End::Container(..) | End::Tag(_) if place.is_mutable => {
                metatrace_defs::descr::access_flag::INTERIOR_MUT
            }
            End::Container(..) | End::Tag(_) => 0,
        }
    }

    /// The variant and the payload of the enum at an address.
    pub(super) fn load_probed(&mut self, address: &Address, ty: TypeId) -> Lowered<Vec<Src>> {
        let words = self.kinds(ty).len() - 1;
        let (join, out) = self.join(words + 1);
        let calls = self.if_known(ty);
        let variant = self.known_variant(address, ty)?;
        let payload = if words > 0 { self.load_payload(address, ty, variant, words)? } else { vec![] };
        self.goto(join, [vec![variant], payload].concat());
        self.current = calls;
        let called = self.load_by_call(address, ty)?;
        let called = self.to_words(called);
        self.goto(join, called);
        Ok(out)
    }

    /// Writes a whole enum.
    pub(super) fn store_probed(&mut self, address: &Address, ty: TypeId, scalars: &[Src]) -> Lowered<()> {
        let (join, _) = self.join(0);
        let calls = self.if_known(ty);
        let has_variants = self.variant_count(ty) > 1;
        if has_variants {
            self.store_niche(address, ty, scalars[0])?;
        }
        self.store_payloads(address, ty, scalars)?;
        if has_variants {
            self.store_probed_tag(address, ty, scalars[0]);
        }
        self.goto(join, vec![]);
        self.current = calls;
        self.store_by_call(address, ty, scalars)?;
        self.goto(join, vec![]);
        Ok(())
    }

    /// Writes the tag, if the shape has one: after the payload, see [`Builder::store_payloads`].
    fn store_probed_tag(&mut self, address: &Address, ty: TypeId, variant: Src) {
        let (join, _) = self.join(0);
        let how = self.shape(ty, "how");
        let tag = self.out.block();
        let to = |block| Target { block, args: vec![] };
        self.end(Term::Switch(how, vec![(TAG, to(tag))], to(join)), tag);
        let place = self.tag_place(address, ty);
        self.store_tag(&place, ty, variant, join);
        self.current = join;
    }

    /// Writes the niche that says which variant it is, if the shape has one. The payload is written after it.
    fn store_niche(&mut self, address: &Address, ty: TypeId, variant: Src) -> Lowered<()> {
        let (join, _) = self.join(0);
        let how = self.shape(ty, "how");
        let niche = self.out.block();
        let to = |block| Target { block, args: vec![] };
        self.end(Term::Switch(how, vec![(NICHE, to(niche))], to(join)), niche);
        for (block, niche) in self.niche_blocks(ty) {
            self.current = block;
            let own = self.word(variant_of(&niche).into());
            let is_own = self.pure(PureOp::IntEq, &[variant, own]);
            let other = self.out.block();
            let term = match self.known(is_own) {
                Some(0) => Term::Goto(to(other)),
                Some(_) => Term::Goto(to(join)),
                None => Term::If(is_own, to(join), to(other)),
            };
            self.end(term, other);
            let (start, first) = (self.shape(ty, "start"), self.shape(ty, "first"));
            let index_of = self.pure(PureOp::IntSub, &[variant, first]);
            let value = self.pure(PureOp::IntAdd, &[start, index_of]);
            let (place, scalar, class) = self.niche_place(address, &niche);
            if let Some(of) = shape::wide_tag(self.types(), &niche) {
                self.store_tag(&place, of, value, join);
                continue;
            }
            let flags = self.niche_flags(&place, &niche);
            self.set(&place, scalar, niche_plus(&niche), class, flags, value);
            self.goto(join, vec![]);
        }
        self.current = join;
        Ok(())
    }
}

impl Builder<'_> {
    /// Writes a tag with as many bytes as it may have, and goes to `join`.
    fn store_tag(&mut self, place: &Address, ty: TypeId, tag: Src, join: Block) {
        let bytes = self.shape(ty, "tag_bytes");
        let sizes = [(1, Scalar::U8), (2, Scalar::U16), (4, Scalar::U32), (8, Scalar::Word)];
        let sizes = sizes.map(|(bytes, scalar)| (bytes, scalar, self.out.block()));
        let to = |block| Target { block, args: vec![] };
        let cases: Vec<(u64, Target)> = sizes[..3].iter().map(|&(n, _, block)| (n, to(block))).collect();
        self.end(Term::Switch(bytes, cases, to(sizes[3].2)), self.current);
        for (_, scalar, block) in sizes {
            self.current = block;
            self.set_tag(place, ty, scalar, tag);
            self.goto(join, vec![]);
        }
    }
}

/// The variant that a niche is in.
fn variant_of(niche: &Niche) -> u32 {
    match niche.path[0] {
        Step::Variant(_, variant, _) => variant,
        _ => panic!("a niche in no variant: {niche:?}"),
    }
}

/// Where a niche is in its leaf, in bytes.
fn niche_plus(niche: &Niche) -> u64 {
    match niche.end {
        End::Word(_, word) => 8 * u64::from(word),
        End::Container(..) | End::Tag(_) => 0,
    }
}
