//! What an Ingress names, compared with what there is: its class, its Services and their
//! ports, its certificates, its neighbours; and what controllers say about it.

pub(super) mod certificate;
pub(super) mod class;
pub(super) mod conflict;
pub(super) mod route;
pub(super) mod told;
