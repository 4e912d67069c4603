//! Conditional compilation: the `cfg` set, and removal of what it excludes.

use std::collections::BTreeSet;

use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Meta, Token, punctuated::Punctuated};

use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::source::SourceMap;

/// The conditions that hold in the build. `test` never does.
#[derive(Clone, Debug, Default)]
pub struct Cfg {
    flags: BTreeSet<String>,
    values: BTreeSet<(String, String)>,
}

impl Cfg {
    /// The conditions of a build script's environment: its `CARGO_CFG_*` and `CARGO_FEATURE_*` variables.
    pub fn from_build_script(env: impl IntoIterator<Item = (String, String)>) -> Cfg {
        let mut cfg = Cfg::default();
        for (key, value) in env {
            if let Some(feature) = key.strip_prefix("CARGO_FEATURE_") {
                cfg.set("feature", Some(&feature.to_lowercase()));
            } else if let Some(name) = key.strip_prefix("CARGO_CFG_") {
                let name = name.to_lowercase();
                if value.is_empty() {
                    cfg.set(&name, None);
                }
                for v in value.split(',').filter(|v| !v.is_empty()) {
                    cfg.set(&name, Some(v));
                }
            }
        }
        cfg
    }

    /// The features that are on, in the form in which they are compared.
    pub fn features(&self) -> Vec<String> {
        let features = self.values.iter().filter(|(name, _)| name == "feature");
        features.map(|(_, value)| value.clone()).collect()
    }

    /// The same conditions with other features.
    pub fn with_features(&self, features: &[String]) -> Cfg {
        let mut cfg = self.clone();
        cfg.values.retain(|(name, _)| name != "feature");
        features.iter().for_each(|feature| cfg.set("feature", Some(feature)));
        cfg
    }

    /// Makes `name` or `name = "value"` hold.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        match value {
            None => {
                self.flags.insert(name.to_string());
            }
            Some(v) => {
                self.values.insert((name.to_string(), normal(name, v)));
            }
        }
    }

    /// Evaluates a condition.
    ///
    /// # Errors
    /// If it is none.
    pub fn eval(&self, meta: &Meta) -> syn::Result<bool> {
        let list = |l: &syn::MetaList| l.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        match meta {
            Meta::Path(p) => match p.get_ident().map(|i| i.to_string()).as_deref() {
                Some("true") => Ok(true),
                Some("false") | Some("test") => Ok(false),
                Some(name) => Ok(self.flags.contains(name)),
                None => Err(syn::Error::new_spanned(p, "expected a name")),
            },
            Meta::NameValue(nv) => match (&nv.path.get_ident(), &nv.value) {
                (Some(name), syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(s), .. })) => {
                    let name = name.to_string();
                    let value = normal(&name, &s.value());
                    Ok(self.values.contains(&(name, value)))
                }
                _ => Err(syn::Error::new_spanned(nv, "expected `name = \"value\"`")),
            },
            Meta::List(l) if l.path.is_ident("all") => {
                list(l)?.iter().try_fold(true, |all, m| Ok(self.eval(m)? && all))
            }
            Meta::List(l) if l.path.is_ident("any") => {
                list(l)?.iter().try_fold(false, |any, m| Ok(self.eval(m)? || any))
            }
            Meta::List(l) if l.path.is_ident("not") => {
                let inner = list(l)?;
                match inner.first() {
                    Some(m) if inner.len() == 1 => Ok(!self.eval(m)?),
                    _ => Err(syn::Error::new_spanned(l, "`not` takes one condition")),
                }
            }
            other => Err(syn::Error::new_spanned(
                other,
                "expected `all`, `any`, `not`, a name or `name = \"value\"`",
            )),
        }
    }
}

/// Cargo's variables spell features in capitals with `_` for `-`; compare them in one spelling.
fn normal(name: &str, value: &str) -> String {
    if name == "feature" { value.to_lowercase().replace('-', "_") } else { value.to_string() }
}

/// Removes what the conditions exclude, and resolves `cfg_attr`.
pub fn strip_file(file: &mut syn::File, cfg: &Cfg, sources: &SourceMap, diags: &Diagnostics) {
    let mut strip = Strip { cfg, sources, diags };
    if !strip.keep(&mut file.attrs) {
        file.items.clear();
    }
    strip.visit_file_mut(file);
}

/// The same for tokens parsed later (the expansion of a macro).
pub fn strip_items(items: &mut Vec<syn::Item>, cfg: &Cfg, sources: &SourceMap, diags: &Diagnostics) {
    let mut strip = Strip { cfg, sources, diags };
    items.retain_mut(|i| item_attrs(i).is_none_or(|a| strip.keep(a)));
    items.iter_mut().for_each(|i| strip.visit_item_mut(i));
}

/// The same for a block that comes from a macro.
pub fn strip_block(block: &mut syn::Block, cfg: &Cfg, sources: &SourceMap, diags: &Diagnostics) {
    Strip { cfg, sources, diags }.visit_block_mut(block);
}

struct Strip<'a> {
    cfg: &'a Cfg,
    sources: &'a SourceMap,
    diags: &'a Diagnostics,
}

impl Strip<'_> {
    fn keep(&mut self, attrs: &mut Vec<Attribute>) -> bool {
        if attrs.iter().any(|a| a.path().is_ident("cfg_attr")) {
            let old = std::mem::take(attrs);
            for a in old {
                self.expand_attr(a, attrs, 0);
            }
        }
        let mut keep = true;
        for a in attrs.iter() {
            if a.path().is_ident("cfg") {
                let value = a.parse_args::<Meta>().and_then(|m| self.cfg.eval(&m));
                keep &= value.unwrap_or_else(|e| self.bad(e));
            }
        }
        keep
    }

    fn bad(&mut self, e: syn::Error) -> bool {
        let span = self.sources.span(e.span());
        self.diags.push(
            Diagnostic::new(Code::Cfg, span, format!("malformed condition: {e}"))
                .label("this condition is not understood")
                .help("conditions are built of `all`, `any`, `not`, names, and `name = \"value\"`"),
        );
        false
    }

    fn expand_attr(&mut self, a: Attribute, out: &mut Vec<Attribute>, depth: u32) {
        if !a.path().is_ident("cfg_attr") || depth > 16 {
            out.push(a);
            return;
        }
        match a.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) {
            Ok(list) => {
                let mut list = list.into_iter();
                let Some(condition) = list.next() else { return };
                if self.cfg.eval(&condition).unwrap_or_else(|e| self.bad(e)) {
                    for meta in list {
                        self.expand_attr(Attribute { meta, ..a.clone() }, out, depth + 1);
                    }
                }
            }
            Err(e) => {
                self.bad(e);
            }
        }
    }
}

fn item_attrs(item: &mut syn::Item) -> Option<&mut Vec<Attribute>> {
    use syn::Item::*;
    Some(match item {
        Const(i) => &mut i.attrs,
        Enum(i) => &mut i.attrs,
        ExternCrate(i) => &mut i.attrs,
        Fn(i) => &mut i.attrs,
        ForeignMod(i) => &mut i.attrs,
        Impl(i) => &mut i.attrs,
        Macro(i) => &mut i.attrs,
        Mod(i) => &mut i.attrs,
        Static(i) => &mut i.attrs,
        Struct(i) => &mut i.attrs,
        Trait(i) => &mut i.attrs,
        TraitAlias(i) => &mut i.attrs,
        Type(i) => &mut i.attrs,
        Union(i) => &mut i.attrs,
        Use(i) => &mut i.attrs,
        _ => return None,
    })
}

fn stmt_attrs(stmt: &mut syn::Stmt) -> Option<&mut Vec<Attribute>> {
    match stmt {
        syn::Stmt::Local(l) => Some(&mut l.attrs),
        syn::Stmt::Item(i) => item_attrs(i),
        syn::Stmt::Macro(m) => Some(&mut m.attrs),
        syn::Stmt::Expr(e, _) => match e {
            syn::Expr::Block(e) => Some(&mut e.attrs),
            syn::Expr::If(e) => Some(&mut e.attrs),
            syn::Expr::Match(e) => Some(&mut e.attrs),
            syn::Expr::Call(e) => Some(&mut e.attrs),
            syn::Expr::MethodCall(e) => Some(&mut e.attrs),
            syn::Expr::Macro(e) => Some(&mut e.attrs),
            syn::Expr::Assign(e) => Some(&mut e.attrs),
            syn::Expr::Unsafe(e) => Some(&mut e.attrs),
            syn::Expr::Loop(e) => Some(&mut e.attrs),
            syn::Expr::While(e) => Some(&mut e.attrs),
            syn::Expr::ForLoop(e) => Some(&mut e.attrs),
            syn::Expr::Return(e) => Some(&mut e.attrs),
            _ => None,
        },
    }
}

/// Removes the elements of a comma-separated list that are excluded.
fn retain<T, P: Default>(list: &mut Punctuated<T, P>, mut keep: impl FnMut(&mut T) -> bool) {
    let old = std::mem::take(list);
    for mut value in old.into_iter() {
        if keep(&mut value) {
            list.push(value);
        }
    }
}

impl VisitMut for Strip<'_> {
    fn visit_file_mut(&mut self, f: &mut syn::File) {
        f.items.retain_mut(|i| item_attrs(i).is_none_or(|a| self.keep(a)));
        visit_mut::visit_file_mut(self, f);
    }

    fn visit_item_mod_mut(&mut self, m: &mut syn::ItemMod) {
        if let Some((_, items)) = &mut m.content {
            items.retain_mut(|i| item_attrs(i).is_none_or(|a| self.keep(a)));
        }
        visit_mut::visit_item_mod_mut(self, m);
    }

    fn visit_item_impl_mut(&mut self, i: &mut syn::ItemImpl) {
        i.items.retain_mut(|i| match i {
            syn::ImplItem::Const(i) => self.keep(&mut i.attrs),
            syn::ImplItem::Fn(i) => self.keep(&mut i.attrs),
            syn::ImplItem::Type(i) => self.keep(&mut i.attrs),
            syn::ImplItem::Macro(i) => self.keep(&mut i.attrs),
            _ => true,
        });
        visit_mut::visit_item_impl_mut(self, i);
    }

    fn visit_item_trait_mut(&mut self, t: &mut syn::ItemTrait) {
        t.items.retain_mut(|i| match i {
            syn::TraitItem::Const(i) => self.keep(&mut i.attrs),
            syn::TraitItem::Fn(i) => self.keep(&mut i.attrs),
            syn::TraitItem::Type(i) => self.keep(&mut i.attrs),
            syn::TraitItem::Macro(i) => self.keep(&mut i.attrs),
            _ => true,
        });
        visit_mut::visit_item_trait_mut(self, t);
    }

    fn visit_fields_mut(&mut self, f: &mut syn::Fields) {
        match f {
            syn::Fields::Named(n) => retain(&mut n.named, |f| self.keep(&mut f.attrs)),
            syn::Fields::Unnamed(n) => retain(&mut n.unnamed, |f| self.keep(&mut f.attrs)),
            syn::Fields::Unit => {}
        }
        visit_mut::visit_fields_mut(self, f);
    }

    fn visit_item_enum_mut(&mut self, e: &mut syn::ItemEnum) {
        retain(&mut e.variants, |v| self.keep(&mut v.attrs));
        visit_mut::visit_item_enum_mut(self, e);
    }

    fn visit_signature_mut(&mut self, s: &mut syn::Signature) {
        retain(&mut s.inputs, |a| match a {
            syn::FnArg::Receiver(r) => self.keep(&mut r.attrs),
            syn::FnArg::Typed(t) => self.keep(&mut t.attrs),
        });
        visit_mut::visit_signature_mut(self, s);
    }

    fn visit_block_mut(&mut self, b: &mut syn::Block) {
        b.stmts.retain_mut(|s| stmt_attrs(s).is_none_or(|a| self.keep(a)));
        visit_mut::visit_block_mut(self, b);
    }

    fn visit_expr_match_mut(&mut self, m: &mut syn::ExprMatch) {
        m.arms.retain_mut(|a| self.keep(&mut a.attrs));
        visit_mut::visit_expr_match_mut(self, m);
    }

    fn visit_expr_struct_mut(&mut self, s: &mut syn::ExprStruct) {
        retain(&mut s.fields, |f| self.keep(&mut f.attrs));
        visit_mut::visit_expr_struct_mut(self, s);
    }

    fn visit_pat_struct_mut(&mut self, s: &mut syn::PatStruct) {
        retain(&mut s.fields, |f| self.keep(&mut f.attrs));
        visit_mut::visit_pat_struct_mut(self, s);
    }
}
