'use strict'
// The compiled addon, and which native object stands behind which of ours.

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
const handleOf = (object) => handles.get(object)

module.exports = { native, hold, handleOf }
