//! The text form of typed bodies, for tests and for people: every expression in a Rust-like notation, with the type of each
//! variable, every conversion written out, and every callee by its path and arguments.

use std::fmt::{self, Write};

use crate::program::Program;
use crate::thir::*;
use crate::ty::{Args, ClosureKind, FnId, Mutability};

impl Program {
    /// The text form of a body.
    pub fn dump_body(&self, body: &Body) -> String {
        let mut d = Dump { prog: self, body, out: String::new(), depth: 0 };
        // writing to a string does not fail
        let _ = d.body();
        d.out
    }
}

struct Dump<'a> {
    prog: &'a Program,
    body: &'a Body,
    out: String,
    depth: usize,
}

impl Dump<'_> {
    fn body(&mut self) -> fmt::Result {
        let name = match self.body.owner {
            BodyOwner::Fn(id) => self.prog.fn_def(id).path,
            BodyOwner::Const(id) => self.prog.const_def(id).path,
            BodyOwner::Static(id) => self.prog.static_def(id).path,
        };
        write!(self.out, "fn {name}(")?;
        self.params(&self.body.params)?;
        writeln!(self.out, ") -> {}", self.prog.ty_name(self.body.result))?;
        if let Some(l) = self.body.portal_loop {
            writeln!(self.out, "portal loop {l}")?;
        }
        self.line()?;
        self.expr(self.body.value)?;
        writeln!(self.out)?;
        for c in &self.body.closures {
            write!(self.out, "closure {} {:?} [", c.id, c.kind)?;
            for (i, cap) in c.captures.iter().enumerate() {
                let comma = if i > 0 { ", " } else { "" };
                write!(self.out, "{comma}{:?} {}: {}", cap.mode, cap.name, self.prog.ty_name(cap.ty))?;
            }
            write!(self.out, "] |")?;
            self.params(&c.params)?;
            writeln!(self.out, "| -> {}", self.prog.ty_name(c.result))?;
            self.line()?;
            self.expr(c.value)?;
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn params(&mut self, params: &[Param]) -> fmt::Result {
        for (i, p) in params.iter().enumerate() {
            if i > 0 {
                write!(self.out, ", ")?;
            }
            self.pat(p.pat)?;
        }
        Ok(())
    }

    fn line(&mut self) -> fmt::Result {
        for _ in 0..self.depth {
            write!(self.out, "  ")?;
        }
        Ok(())
    }

    fn local(&self, id: LocalId) -> String {
        format!("{}.{}", self.body.local(id).name, id.0)
    }

    fn callee(&self, id: FnId, args: Args) -> String {
        let path = self.prog.fn_def(id).path;
        if args.is_empty() {
            return path.to_string();
        }
        let list: Vec<String> = args.iter().map(|t| self.prog.ty_name(*t)).collect();
        format!("{path}::<{}>", list.join(", "))
    }

    fn list(&mut self, items: &[ExprId]) -> fmt::Result {
        for (i, e) in items.iter().enumerate() {
            if i > 0 {
                write!(self.out, ", ")?;
            }
            self.expr(*e)?;
        }
        Ok(())
    }

    fn lit(&self, l: &Lit, ty: crate::ty::Ty) -> String {
        match l {
            Lit::Bool(b) => b.to_string(),
            Lit::Char(c) => format!("{c:?}"),
            Lit::Int(v) => match ty.kind() {
                crate::ty::TyKind::Int(i) => format!("{}_{}", crate::collect::sigs::signed(*v, *i), i.name()),
                _ => v.to_string(),
            },
            Lit::F32(b) => format!("{:?}_f32", f32::from_bits(*b)),
            Lit::F64(b) => format!("{:?}_f64", f64::from_bits(*b)),
            Lit::Str(s) => format!("{:?}", s.as_str()),
            Lit::Bytes(b) => format!("b{:?}", String::from_utf8_lossy(b)),
        }
    }

    fn block(&mut self, id: BlockId) -> fmt::Result {
        let b = self.body.block(id).clone();
        if let Some(l) = b.label {
            write!(self.out, "{l}: ")?;
        }
        writeln!(self.out, "{{")?;
        self.depth += 1;
        for s in &b.stmts {
            self.line()?;
            match s {
                Stmt::Let { pat, init, els, .. } => {
                    write!(self.out, "let ")?;
                    self.pat(*pat)?;
                    if let Some(i) = init {
                        write!(self.out, " = ")?;
                        self.expr(*i)?;
                    }
                    if let Some(e) = els {
                        write!(self.out, " else ")?;
                        self.block(*e)?;
                    }
                }
                Stmt::Expr(e) => self.expr(*e)?,
            }
            writeln!(self.out, ";")?;
        }
        if let Some(t) = b.tail {
            self.line()?;
            self.expr(t)?;
            writeln!(self.out)?;
        }
        self.depth -= 1;
        self.line()?;
        write!(self.out, "}}")
    }

    fn expr(&mut self, id: ExprId) -> fmt::Result {
        let e = self.body.expr(id).clone();
        match &e.kind {
            ExprKind::Local(l) => write!(self.out, "{}", self.local(*l)),
            ExprKind::Upvar(u) => write!(self.out, "{u}"),
            ExprKind::Static(s) => write!(self.out, "{}", self.prog.static_def(*s).path),
            ExprKind::Field { base, field } => {
                self.expr(*base)?;
                write!(self.out, ".{}", self.field_name(*base, *field))
            }
            ExprKind::Index { base, index } => {
                self.expr(*base)?;
                write!(self.out, "[")?;
                self.expr(*index)?;
                write!(self.out, "]")
            }
            ExprKind::Deref(p) => {
                write!(self.out, "(*")?;
                self.expr(*p)?;
                write!(self.out, ")")
            }
            ExprKind::Temp { value, lifetime } => {
                write!(self.out, "temp")?;
                if *lifetime != TempLifetime::Scope {
                    write!(self.out, "/{lifetime:?}")?;
                }
                write!(self.out, "(")?;
                self.expr(*value)?;
                write!(self.out, ")")
            }
            ExprKind::Read { place, mode } => {
                if *mode == ReadMode::Move {
                    write!(self.out, "move ")?;
                }
                self.expr(*place)
            }
            ExprKind::Literal(l) => write!(self.out, "{}", self.lit(l, e.ty)),
            ExprKind::Const { id, .. } => write!(self.out, "const {}", self.prog.const_def(*id).path),
            ExprKind::ConstParam { name, .. } => write!(self.out, "{name}"),
            ExprKind::FnItem { id, args } => write!(self.out, "fn {}", self.callee(*id, args)),
            ExprKind::Borrow { mutability, place } => {
                write!(self.out, "&{}", mutability.prefix())?;
                self.expr(*place)
            }
            ExprKind::RawBorrow { mutability, place } => {
                write!(self.out, "&raw {} ", if *mutability == Mutability::Mut { "mut" } else { "const" })?;
                self.expr(*place)
            }
            ExprKind::Unary { op, value } => {
                write!(self.out, "{}", if *op == UnOp::Not { "!" } else { "-" })?;
                self.expr(*value)
            }
            ExprKind::Binary { op, left, right } => {
                write!(self.out, "(")?;
                self.expr(*left)?;
                write!(self.out, " {} ", op.symbol())?;
                self.expr(*right)?;
                write!(self.out, ")")
            }
            ExprKind::Logical { and, left, right } => {
                write!(self.out, "(")?;
                self.expr(*left)?;
                write!(self.out, " {} ", if *and { "&&" } else { "||" })?;
                self.expr(*right)?;
                write!(self.out, ")")
            }
            ExprKind::Cast { kind, value } => {
                write!(self.out, "cast/{kind:?}(")?;
                self.expr(*value)?;
                write!(self.out, " as {})", self.prog.ty_name(e.ty))
            }
            ExprKind::Assign { place, value } => {
                self.expr(*place)?;
                write!(self.out, " = ")?;
                self.expr(*value)
            }
            ExprKind::AssignOp { op, place, value } => {
                self.expr(*place)?;
                write!(self.out, " {}= ", op.symbol())?;
                self.expr(*value)
            }
            ExprKind::Call { callee, args } => self.call(callee, args),
            ExprKind::Adt { variant, fields, base, .. } => self.adt(&e, *variant, fields, *base),
            ExprKind::Tuple(list) => {
                write!(self.out, "(")?;
                self.list(list)?;
                write!(self.out, ")")
            }
            ExprKind::Array(list) => {
                write!(self.out, "[")?;
                self.list(list)?;
                write!(self.out, "]")
            }
            ExprKind::Repeat { value } => {
                write!(self.out, "[")?;
                self.expr(*value)?;
                write!(self.out, "; ..]: {}", self.prog.ty_name(e.ty))
            }
            ExprKind::Closure { id, captures } => {
                write!(self.out, "{id}[")?;
                self.list(captures)?;
                write!(self.out, "]")
            }
            _ => self.control(&e),
        }
    }

    fn field_name(&self, base: ExprId, field: FieldIdx) -> String {
        match *self.body.expr(base).ty.kind() {
            crate::ty::TyKind::Adt(id, _) => match self.prog.adt(id).variants.first() {
                Some(v) => {
                    v.fields.get(field.index()).map_or_else(|| field.to_string(), |f| f.name.to_string())
                }
                None => field.to_string(),
            },
            _ => field.index().to_string(),
        }
    }

    fn call(&mut self, callee: &Callee, args: &[ExprId]) -> fmt::Result {
        match callee {
            Callee::Fn { id, args } => write!(self.out, "{}", self.callee(*id, args))?,
            Callee::Value(e) => {
                write!(self.out, "(")?;
                self.expr(*e)?;
                write!(self.out, ")")?;
            }
            Callee::Closure { kind, callee } => {
                let name = match kind {
                    ClosureKind::Fn => "call",
                    ClosureKind::FnMut => "call_mut",
                    ClosureKind::FnOnce => "call_once",
                };
                write!(self.out, "{name}[")?;
                self.expr(*callee)?;
                write!(self.out, "]")?;
            }
        }
        write!(self.out, "(")?;
        self.list(args)?;
        write!(self.out, ")")
    }

    fn adt(
        &mut self,
        e: &Expr,
        variant: VariantIdx,
        fields: &[(FieldIdx, ExprId)],
        base: Option<ExprId>,
    ) -> fmt::Result {
        let crate::ty::TyKind::Adt(id, _) = *e.ty.kind() else { return write!(self.out, "?") };
        let def = self.prog.adt(id);
        write!(self.out, "{}", self.prog.ty_name(e.ty))?;
        if def.kind == crate::items::AdtKind::Enum {
            write!(self.out, "::{}", def.variants[variant.index()].name)?;
        }
        if fields.is_empty() && base.is_none() {
            return Ok(());
        }
        write!(self.out, " {{ ")?;
        for (i, (f, v)) in fields.iter().enumerate() {
            if i > 0 {
                write!(self.out, ", ")?;
            }
            write!(self.out, "{}: ", def.variants[variant.index()].fields[f.index()].name)?;
            self.expr(*v)?;
        }
        if let Some(b) = base {
            write!(self.out, ", ..")?;
            self.expr(b)?;
        }
        write!(self.out, " }}")
    }

    fn control(&mut self, e: &Expr) -> fmt::Result {
        match &e.kind {
            ExprKind::Scope(e) => {
                // shown only where it ends the life of a temporary
                if self.has_temp(*e) {
                    write!(self.out, "scope ")?;
                }
                self.expr(*e)
            }
            ExprKind::Block(b) => self.block(*b),
            ExprKind::If { cond, then, els } => {
                write!(self.out, "if ")?;
                self.expr(*cond)?;
                write!(self.out, " then ")?;
                self.expr(*then)?;
                if let Some(e) = els {
                    write!(self.out, " else ")?;
                    self.expr(*e)?;
                }
                Ok(())
            }
            ExprKind::Let { place, pat } => {
                write!(self.out, "let ")?;
                self.pat(*pat)?;
                write!(self.out, " = ")?;
                self.expr(*place)
            }
            ExprKind::Match { scrutinee, arms } => {
                write!(self.out, "match ")?;
                self.expr(*scrutinee)?;
                writeln!(self.out, " {{")?;
                self.depth += 1;
                for a in arms {
                    self.line()?;
                    self.pat(a.pat)?;
                    if let Some(g) = a.guard {
                        write!(self.out, " if ")?;
                        self.expr(g)?;
                    }
                    write!(self.out, " => ")?;
                    self.expr(a.body)?;
                    writeln!(self.out, ",")?;
                }
                self.depth -= 1;
                self.line()?;
                write!(self.out, "}}")
            }
            ExprKind::Loop { id, body } => {
                write!(self.out, "{id}: loop ")?;
                self.expr(*body)
            }
            ExprKind::Break { target, value } => {
                write!(self.out, "break {target}")?;
                if let Some(v) = value {
                    write!(self.out, " ")?;
                    self.expr(*v)?;
                }
                Ok(())
            }
            ExprKind::Continue { target } => write!(self.out, "continue {target}"),
            ExprKind::Return(v) => {
                write!(self.out, "return")?;
                if let Some(v) = v {
                    write!(self.out, " ")?;
                    self.expr(*v)?;
                }
                Ok(())
            }
            ExprKind::NeverToAny(v) => self.expr(*v),
            ExprKind::Outlined(o) => {
                write!(self.out, "outlined [")?;
                for (i, c) in o.captures.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    write!(self.out, "{comma}{} = ", c.name)?;
                    self.expr(c.value)?;
                }
                write!(self.out, "] -> {} `{}`", self.prog.ty_name(e.ty), o.tokens)
            }
            _ => Ok(()),
        }
    }

    fn has_temp(&self, id: ExprId) -> bool {
        match &self.body.expr(id).kind {
            ExprKind::Temp { lifetime: TempLifetime::Scope, .. } => true,
            ExprKind::Scope(_) | ExprKind::Block(_) | ExprKind::Loop { .. } => false,
            ExprKind::Match { scrutinee, .. } => self.has_temp(*scrutinee),
            other => crate::infer::operands(other).into_iter().any(|e| self.has_temp(e)),
        }
    }

    fn pat(&mut self, id: PatId) -> fmt::Result {
        let p = self.body.pat(id).clone();
        match &p.kind {
            PatKind::Wild => write!(self.out, "_"),
            PatKind::Binding { local, mode, sub } => {
                let l = self.body.local(*local);
                let how = match mode {
                    BindingMode::Ref(m) => format!("ref {}", m.prefix()),
                    BindingMode::Value(_) if l.mutable => "mut ".to_string(),
                    BindingMode::Value(_) => String::new(),
                };
                write!(self.out, "{how}{}: {}", self.local(*local), self.prog.ty_name(l.ty))?;
                if let Some(s) = sub {
                    write!(self.out, " @ ")?;
                    self.pat(*s)?;
                }
                Ok(())
            }
            PatKind::Variant { adt, variant, fields, .. } => {
                let def = self.prog.adt(*adt);
                write!(self.out, "{}", def.variants[variant.index()].name)?;
                self.pat_fields(fields)
            }
            PatKind::Tuple(fields) => self.pat_fields(fields),
            PatKind::Deref(p) => {
                write!(self.out, "&")?;
                self.pat(*p)
            }
            PatKind::Literal(l) => write!(self.out, "{}", self.lit(l, p.ty)),
            PatKind::Range { lo, hi, inclusive } => {
                let show = |l: &Option<Lit>| l.as_ref().map(|l| self.lit(l, p.ty)).unwrap_or_default();
                let text = format!("{}{}{}", show(lo), if *inclusive { "..=" } else { ".." }, show(hi));
                write!(self.out, "{text}")
            }
            PatKind::Slice { prefix, rest, suffix } => {
                write!(self.out, "[")?;
                for p in prefix {
                    self.pat(*p)?;
                    write!(self.out, ", ")?;
                }
                if let Some(r) = rest {
                    self.pat(*r)?;
                    write!(self.out, " @ .., ")?;
                }
                for p in suffix {
                    self.pat(*p)?;
                    write!(self.out, ", ")?;
                }
                write!(self.out, "]")
            }
            PatKind::Or(list) => {
                for (i, p) in list.iter().enumerate() {
                    if i > 0 {
                        write!(self.out, " | ")?;
                    }
                    self.pat(*p)?;
                }
                Ok(())
            }
        }
    }

    fn pat_fields(&mut self, fields: &[(FieldIdx, PatId)]) -> fmt::Result {
        if fields.is_empty() {
            return Ok(());
        }
        write!(self.out, "(")?;
        for (i, (f, p)) in fields.iter().enumerate() {
            if i > 0 {
                write!(self.out, ", ")?;
            }
            write!(self.out, "{}: ", f.index())?;
            self.pat(*p)?;
        }
        write!(self.out, ")")
    }
}
