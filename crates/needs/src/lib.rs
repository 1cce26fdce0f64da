//! `#[derive(Needs)]`: which nodes of a graph a value refers to, found in its fields.
use proc_macro::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, parse_macro_input};

/// Collects the nodes of every field that refers to some: a `Ref`, a `NodeId`, what derives this, and options and vectors of
/// them. Other fields refer to none; nor does one of the type of a parameter that is not bound by `Needs`.
#[proc_macro_derive(Needs)]
pub fn needs(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let arms: Vec<_> = match &input.data {
        Data::Struct(data) => vec![arm(&quote!(Self), &data.fields)],
        Data::Enum(data) => data.variants.iter().map(|v| arm(&variant(v), &v.fields)).collect(),
        Data::Union(data) => {
            return Error::new(data.union_token.span, "`Needs` cannot be derived for a union")
                .to_compile_error()
                .into();
        }
    };
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics ::aws_core::engine::Needs for #name #arguments #bounds {
            fn add_needs(&self, nodes: &mut ::std::vec::Vec<::aws_core::engine::NodeId>) {
                #[allow(unused_imports)]
                use ::aws_core::needs::{Field, Other as _, Referring as _};
                let _ = &nodes;
                match self {
                    #(#arms)*
                }
            }
        }
    }
    .into()
}

fn variant(variant: &syn::Variant) -> proc_macro2::TokenStream {
    let name = &variant.ident;
    quote!(Self::#name)
}

/// The arm of a `match` that asks each field.
fn arm(path: &proc_macro2::TokenStream, fields: &Fields) -> proc_macro2::TokenStream {
    let members: Vec<_> = fields.members().collect();
    let bound: Vec<_> = (0..members.len()).map(|n| format_ident!("field{n}")).collect();
    quote! {
        #path { #(#members: #bound),* } => { #((&Field(#bound)).add(nodes);)* }
    }
}
