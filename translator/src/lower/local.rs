//! Code of a body as text for the glue: what stands in it may use names that only the body knows.

use proc_macro2::{TokenStream, TokenTree};

use crate::collect::local::for_child_module;
use crate::flow::types::Type;
use crate::flow::{LoadTimeValue, ValueId};
use crate::items::ModId;
use crate::lower::func::Lower;
use crate::lower::{Result, unsupported};
use crate::source::Span;
use crate::ty::{Ty, TyKind};

impl Lower<'_, '_> {
    /// Code as it must be written outside of its function. None if it uses what cannot be named there.
    pub(super) fn outside_of_body(
        &self,
        scope: ModId,
        self_ty: Option<Ty>,
        tokens: &TokenStream,
    ) -> Option<String> {
        let mut text = for_child_module(tokens.clone()).to_string();
        if mentions(tokens, "Self") {
            let ty = self.inst(self_ty?);
            if !self.cx.can_spell(ty) {
                return None;
            }
            let spelled = self.cx.spell(ty);
            let tokens = for_child_module(tokens.clone());
            // Arguments after a path would be a syntax error where it begins an expression.
            text = match spelled.contains('<') {
                true => {
                    format!("{{ type Self_ = {spelled}; {} }}", replace_self(tokens, &"Self_".parse().ok()?))
                }
                false => replace_self(tokens, &spelled.parse().ok()?).to_string(),
            };
        }
        self.cx.program.outside_of_body(scope, &text)
    }

    /// A closure without captures as a function pointer.
    pub(super) fn closure_pointer(&mut self, from: Ty, to: Ty, span: Span) -> Result<ValueId> {
        let TyKind::Closure(id, args) = *from.kind() else { panic!("{from:?} is no closure") };
        let source = self.body.closure(id).map(|c| std::rc::Rc::clone(&c.source));
        let text = source
            .filter(|_| args.is_empty() && self.cx.can_spell(to))
            .and_then(|s| Some((s.scope, self.outside_of_body(s.scope, s.self_ty, &s.tokens)?)));
        let Some((scope, code)) = text else {
            let message = "the address of this closure cannot be taken";
            return unsupported(span, message, "write it as a function of the module");
        };
        let flow = self.flow_ty(to);
        debug_assert!(matches!(self.get(flow), Type::FnPtr { .. }));
        let rust = format!("{{ let f: {} = {code}; f as usize as u64 }}", self.cx.spell(to));
        let own = self.cx.item_module(crate::items::Origin::User, scope);
        let module = own.max(self.cx.module_of(to));
        if self.cx.crate_of(module) != self.cx.crate_of(own) {
            let message = "this closure would have to be named in another crate";
            return unsupported(span, message, "write it as a function of the module");
        }
        let at = self.cx.program.sources().line_col(span);
        let name = format!("closure at line {}", at.line);
        Ok(self.load_time(flow, LoadTimeValue { rust, module, name, frozen: true }))
    }
}

/// Whether a word stands somewhere in the tokens.
fn mentions(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(i) => i == word,
        TokenTree::Group(g) => mentions(&g.stream(), word),
        _ => false,
    })
}

fn replace_self(tokens: TokenStream, ty: &TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(i) if i == "Self" => ty.clone(),
            TokenTree::Group(g) => {
                let mut new = proc_macro2::Group::new(g.delimiter(), replace_self(g.stream(), ty));
                new.set_span(g.span());
                TokenStream::from(TokenTree::Group(new))
            }
            other => TokenStream::from(other),
        })
        .collect()
}
