'use strict'
// The compiled addon, and which native object stands behind which of ours.

const { argumentError } = require('./errors.js')

let native
try {
  native = require('../native.node')
} catch (cause) {
  throw new Error('liveops: native.node cannot be loaded; in a clone, `cargo xtask build node` makes it', { cause })
}

const handles = new WeakMap()

/** Puts a native object behind one of ours. */
function hold (object, handle) {
  handles.set(object, handle)
  return object
}

/** The native object behind one of ours; undefined for anything else. */
const heldBy = (object) => handles.get(object)

/** The native object behind `this`, which has to be one of its class: a method can be called on anything. */
function handleOf (self, Class) {
  const held = self instanceof Class ? handles.get(self) : undefined
  if (held === undefined) throw argumentError(TypeError, `this must be of class ${Class.name}, made by it`)
  return held
}

module.exports = { native, hold, heldBy, handleOf }
