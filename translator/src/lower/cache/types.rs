//! Types as bytes, by what they are made of: numbers of items that were declared before any body was looked at, paths of foreign types,
//! and closures by the functions in which they are written.

use crate::collect::AdtItem;
use crate::flow::wire::Coder;
use crate::names::Name;
use crate::program::Program;
use crate::source::{FileId, Span};
use crate::thir::BodyOwner;
use crate::ty::{
    AdtId, Args, AssocTyId, ClosureId, FloatTy, FnId, IntTy, Mutability, TraitId, Ty, TyKind,
    intern_bindings, intern_list,
};

/// A closure by the function it is written in and its number there.
pub(super) fn code_closure(c: &mut Coder, program: &Program, id: &mut ClosureId) -> Option<()> {
    let (mut owner, mut number) = (0, 0);
    if !c.is_reading() {
        let BodyOwner::Fn(written_in) = program.closure_owner(*id) else { return None };
        owner = program.stable_fn(written_in)?.0;
        number = program.closure_number(*id)? as u32;
    }
    c.index(&mut owner)?;
    c.index(&mut number)?;
    if c.is_reading() {
        let ids = program.closure_ids.borrow();
        *id = *ids.get(&BodyOwner::Fn(FnId(owner)))?.get(number as usize)?;
    }
    Some(())
}

pub(super) fn write_types(c: &mut Coder, program: &Program, types: &[Ty]) -> Option<()> {
    c.num(&mut (types.len() as u64))?;
    types.iter().try_for_each(|&ty| write_ty(c, program, ty))
}

pub(super) fn read_types(c: &mut Coder, program: &Program) -> Option<Args> {
    let mut len = 0;
    c.num(&mut len)?;
    let list = (0..len).map(|_| read_ty(c, program)).collect::<Option<Vec<Ty>>>()?;
    Some(intern_list(&list))
}

/// A type; none for those that only unfinished bodies have.
pub(super) fn write_ty(c: &mut Coder, program: &Program, ty: Ty) -> Option<()> {
    let kind = *ty.kind();
    let mut tag = match kind {
        TyKind::Bool => 0,
        TyKind::Char => 1,
        TyKind::Int(_) => 2,
        TyKind::Float(_) => 3,
        TyKind::Str => 4,
        TyKind::Never => 5,
        TyKind::Adt(id, _) if matches!(program.src.adts.get(id.index()).item, AdtItem::Foreign) => 6,
        TyKind::Adt(..) => 7,
        TyKind::Ref(..) => 8,
        TyKind::RawPtr(..) => 9,
        TyKind::Array(..) => 10,
        TyKind::Slice(_) => 11,
        TyKind::Tuple(_) => 12,
        TyKind::FnDef(..) => 13,
        TyKind::FnPtr(_) => 14,
        TyKind::Dyn(..) => 15,
        TyKind::Projection(..) => 16,
        TyKind::Const(_) => 17,
        TyKind::Closure(..) => 18,
        TyKind::Param(..) => 19,
        TyKind::Infer(..) | TyKind::Error => return None,
    };
    c.num(&mut tag)?;
    match kind {
        TyKind::Int(int) => c.num(&mut (IntTy::ALL.iter().position(|&i| i == int)? as u64)),
        TyKind::Float(float) => c.bool(&mut (float == FloatTy::F64)),
        TyKind::Adt(id, args) => {
            match tag {
                6 => c.text(&mut program.adt(id).path.to_string())?,
                _ => c.index(&mut program.stable_adt(id)?.0)?,
            }
            write_types(c, program, args)
        }
        TyKind::Ref(m, to) | TyKind::RawPtr(m, to) => {
            c.bool(&mut (m == Mutability::Mut))?;
            write_ty(c, program, to)
        }
        TyKind::Array(elem, len) => {
            write_ty(c, program, elem)?;
            write_ty(c, program, len)
        }
        TyKind::Slice(elem) => write_ty(c, program, elem),
        TyKind::Tuple(list) | TyKind::FnPtr(list) => write_types(c, program, list),
        TyKind::FnDef(id, args) => {
            c.index(&mut program.stable_fn(id)?.0)?;
            write_types(c, program, args)
        }
        TyKind::Dyn(id, args, bindings) => {
            c.index(&mut id.0.clone())?;
            write_types(c, program, args)?;
            c.num(&mut (bindings.len() as u64))?;
            bindings.iter().try_for_each(|&(assoc, ty)| {
                c.index(&mut assoc.0.clone())?;
                write_ty(c, program, ty)
            })
        }
        TyKind::Projection(id, args) => {
            c.index(&mut id.0.clone())?;
            write_types(c, program, args)
        }
        TyKind::Const(value) => {
            c.num(&mut (value as u64))?;
            c.num(&mut ((value >> 64) as u64))
        }
        TyKind::Closure(mut id, args) => {
            code_closure(c, program, &mut id)?;
            write_types(c, program, args)
        }
        TyKind::Param(n, name) => {
            c.index(&mut n.clone())?;
            c.text(&mut name.to_string())
        }
        _ => Some(()),
    }
}

pub(super) fn read_ty(c: &mut Coder, program: &Program) -> Option<Ty> {
    let mut tag = 0;
    c.num(&mut tag)?;
    let (mut n, mut high, mut index, mut flag) = (0, 0, 0, false);
    let mutability = |flag| if flag { Mutability::Mut } else { Mutability::Not };
    Some(Ty::new(match tag {
        0 => TyKind::Bool,
        1 => TyKind::Char,
        2 => {
            c.num(&mut n)?;
            TyKind::Int(*IntTy::ALL.get(usize::try_from(n).ok()?)?)
        }
        3 => {
            c.bool(&mut flag)?;
            TyKind::Float(if flag { FloatTy::F64 } else { FloatTy::F32 })
        }
        4 => TyKind::Str,
        5 => TyKind::Never,
        6 => {
            let mut path = String::new();
            c.text(&mut path)?;
            let nowhere = Span { file: FileId(0), lo: 0, hi: 0 };
            let id = program.foreign_adt(Name::new(&path), nowhere);
            TyKind::Adt(id, read_types(c, program)?)
        }
        7 => {
            c.index(&mut index)?;
            TyKind::Adt(program.stable_adt(AdtId(index))?, read_types(c, program)?)
        }
        8 | 9 => {
            c.bool(&mut flag)?;
            let to = read_ty(c, program)?;
            if tag == 8 { TyKind::Ref(mutability(flag), to) } else { TyKind::RawPtr(mutability(flag), to) }
        }
        10 => {
            let elem = read_ty(c, program)?;
            TyKind::Array(elem, read_ty(c, program)?)
        }
        11 => TyKind::Slice(read_ty(c, program)?),
        12 => TyKind::Tuple(read_types(c, program)?),
        13 => {
            c.index(&mut index)?;
            TyKind::FnDef(program.stable_fn(FnId(index))?, read_types(c, program)?)
        }
        14 => TyKind::FnPtr(read_types(c, program)?),
        15 => {
            c.index(&mut index)?;
            let args = read_types(c, program)?;
            c.num(&mut n)?;
            let mut bindings = Vec::new();
            for _ in 0..n {
                let mut assoc = 0;
                c.index(&mut assoc)?;
                bindings.push((AssocTyId(assoc), read_ty(c, program)?));
            }
            TyKind::Dyn(TraitId(index), args, intern_bindings(&bindings))
        }
        16 => {
            c.index(&mut index)?;
            TyKind::Projection(AssocTyId(index), read_types(c, program)?)
        }
        17 => {
            c.num(&mut n)?;
            c.num(&mut high)?;
            TyKind::Const(u128::from(n) | u128::from(high) << 64)
        }
        18 => {
            let mut id = ClosureId(0);
            code_closure(c, program, &mut id)?;
            TyKind::Closure(id, read_types(c, program)?)
        }
        19 => {
            let mut name = String::new();
            c.index(&mut index)?;
            c.text(&mut name)?;
            TyKind::Param(index, Name::new(&name))
        }
        _ => return None,
    }))
}
