//! Tells the linker that Node's symbols come with the process that loads the addon.

fn main() {
    napi_build::setup();
}
