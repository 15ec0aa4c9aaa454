'use strict'
// The compiled addon, and which native object stands behind which of ours.

const { argumentError, call } = require('./errors.js')

let native
try {
  native = require('../native.node')
} catch (cause) {
  throw new Error('liveops: native.node cannot be loaded; in a clone, `cargo xtask build node` makes it', { cause })
}

const handles = new WeakMap()

/** Stands where the native object of a closed one stood. */
const CLOSED = Symbol('closed')

/** Puts a native object behind one of ours, and tells V8 what it weighs. */
function hold (object, handle) {
  handles.set(object, handle)
  native.tellMemory()
  return object
}

/** The native object behind one of ours; undefined for anything else. Throws `closed` for what was closed. */
function heldBy (object) {
  const held = handles.get(object)
  if (held === CLOSED) call(native.throwClosed)
  return held
}

/** The native object behind `this`, which has to be one of its class: a method can be called on anything. */
function handleOf (self, Class) {
  const held = self instanceof Class ? heldBy(self) : undefined
  if (held === undefined) throw argumentError(TypeError, `this must be of class ${Class.name}, made by it`)
  return held
}

/** Frees what stands behind `this` now, and not when it is collected. Once more is nothing. */
function close (self, Class) {
  if (handles.get(self) === CLOSED) return
  const held = handleOf(self, Class)
  call(() => held.close())
  handles.set(self, CLOSED)
  native.tellMemory()
}

/** Whether it was closed. */
const isClosed = (object) => handles.get(object) === CLOSED

/** The names by which `using` and `await using` close; the first releases of Node 20 have none. */
const dispose = Symbol.dispose ?? Symbol('dispose')
const asyncDispose = Symbol.asyncDispose ?? Symbol('asyncDispose')

module.exports = { CLOSED, asyncDispose, close, dispose, native, hold, heldBy, handleOf, isClosed }
