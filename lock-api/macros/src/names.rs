//! What a template can name: the arguments of the function.

use std::collections::BTreeMap;

use proc_macro2::Ident;
use syn::{
    FnArg, PatIdent, Signature,
    ext::IdentExt,
    visit::{self, Visit},
};

/// The arguments, by the name that a template says.
pub(crate) struct Names(BTreeMap<String, Ident>);

impl Names {
    /// Every name that the argument list binds, those within patterns too.
    pub(crate) fn of(signature: &Signature) -> Self {
        let mut names = Self(BTreeMap::new());
        for input in &signature.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    names.add(&Ident::new("self", receiver.self_token.span));
                }
                FnArg::Typed(argument) => names.visit_pat(&argument.pat),
            }
        }
        names
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Ident> {
        self.0.get(name)
    }

    /// The names, for an error message.
    pub(crate) fn list(&self) -> String {
        let quoted: Vec<_> = self.0.keys().map(|name| format!("`{name}`")).collect();
        match quoted.as_slice() {
            [] => "the function has no arguments".to_owned(),
            [one] => format!("the only argument is {one}"),
            more => format!("the arguments are {}", more.join(", ")),
        }
    }

    fn add(&mut self, name: &Ident) {
        self.0.insert(name.unraw().to_string(), name.clone());
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.add(&pattern.ident);
        visit::visit_pat_ident(self, pattern);
    }
}
