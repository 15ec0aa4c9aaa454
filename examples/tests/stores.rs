//! The two stores of one's own keep the contract.

#[path = "../rust/own_async_store.rs"]
mod own_async_store;

#[test]
fn the_blocking_one() {
    own_async_store::own_store::main();
}

#[test]
fn the_asynchronous_one() {
    own_async_store::main();
}
