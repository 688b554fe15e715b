//! The authorities in the PEM file that `SIMULATOR_CA` names.
use rustls_pki_types::TrustAnchor;
use std::{env, fs, sync::LazyLock};

pub static TLS_SERVER_ROOTS: LazyLock<Vec<TrustAnchor<'static>>> = LazyLock::new(|| {
    let pem = fs::read(env::var("SIMULATOR_CA").unwrap()).unwrap();
    rustls_pemfile::certs(&mut pem.as_slice())
        .map(|one| webpki::anchor_from_trusted_cert(&one.unwrap()).unwrap().to_owned())
        .collect()
});
