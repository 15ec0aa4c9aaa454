'use strict'
// From the addon's JSON text to frozen plain objects.

function freeze (value) {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}

/** The value of a JSON text, frozen to the bottom; null for none. */
const read = (text) => text === null || text === undefined ? null : freeze(JSON.parse(text))

/** What the addon said for us to take apart: what is not there is not there, whatever anything puts on Object.prototype. */
const own = (told) => ({ __proto__: null, ...told })

module.exports = { read, freeze, own }
