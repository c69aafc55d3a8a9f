//! OpenFX sets and gets parameters by C's variable arguments, which stable Rust can call but not define.

fn main() {
    println!("cargo::rerun-if-changed=src/variadic.c");
    cc::Build::new().file("src/variadic.c").warnings(true).compile("ofx_host_variadic");
}
