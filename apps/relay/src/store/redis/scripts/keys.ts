/** Scripts: prekeys, key requests and grants, the hand-over (docs/protocol.md sections 4 and 7). */
import { script } from '../connection/script.js';
import { needs } from './lib/log.js';
import { people } from './lib/room.js';

/** Answers to one request: the owner's may be answered by anybody, and each is large. */
const MOST_GRANTS = 16;

/** ARGV: member, k, prekey. Returns nothing more. Atomic: k rises. */
export const putPrekey = script({
  name: 'putPrekey',
  writes: true,
  parts: [people],
  keys: ['prekeys'],
  body: `
local who, k, prekey = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local refusal = open()
if refusal then return {refusal} end
local known = member(who)
if not known or known.st ~= MEMBER then return {'FORBIDDEN'} end
if k < known.k then return {'BAD_ENTRY'} end
if k == known.k then
  return {call('HGET', PREKEYS, who) == prekey and 'OK' or 'BAD_ENTRY'}
end
call('HSET', PREKEYS, who, prekey)
known.k = k
keep(who, known)
return {'OK'}
`,
});

/** Returns member and prekey (or nothing) by turns, in the order of admission. */
export const readPrekeys = script({
  name: 'readPrekeys',
  writes: false,
  parts: [people],
  keys: ['prekeys'],
  body: `
local refusal = open()
if refusal then return {refusal} end
local flat, found = call('HGETALL', MEMBERS), {}
for i = 1, #flat, 2 do
  local known = cmsgpack.unpack(flat[i + 1])
  -- A leaver is on the roster until its owner says otherwise, and a rotation must name it.
  if known.st == MEMBER or known.st == LEAVING then found[#found + 1] = {known.n, flat[i]} end
end
table.sort(found, function(a, b) return a[1] < b[1] end)
local answer = {}
for i, entry in ipairs(found) do
  answer[2 * i - 1], answer[2 * i] = entry[2], call('HGET', PREKEYS, entry[2])
end
return {'OK', answer}
`,
});

/** ARGV: member, request. Returns nothing more. Atomic: a new request replaces the old one and its grants. */
export const putNeedKey = script({
  name: 'putNeedKey',
  writes: true,
  parts: [people, needs],
  body: `
local who, request = ARGV[1], ARGV[2]
local refusal = open()
if refusal then return {refusal} end
if not isMember(who) then return {'FORBIDDEN'} end
if call('HGET', NEEDS, who) == request then return {'OK'} end
call('HSET', NEEDS, who, request)
dropGrants(who)
event(NEEDKEY, who)
return {'OK'}
`,
});

/** ARGV: from, to, request, grant, news. Returns nothing more. Atomic: it answers the request that stands. */
export const putKeyGrant = script({
  name: 'putKeyGrant',
  writes: true,
  parts: [people, needs],
  body: `
local from, to, grant = ARGV[1], ARGV[2], pack('>I4', #ARGV[4]) .. ARGV[4] .. ARGV[5]
local refusal = open()
if refusal then return {refusal} end
if not isMember(from) then return {'FORBIDDEN'} end
if call('HGET', NEEDS, to) ~= ARGV[3] then return {'BAD_ENTRY'} end
local list, known = answered(to), call('HGET', GRANTS, to .. from)
if known and string.sub(known, 1, 4 + #ARGV[4]) == string.sub(grant, 1, 4 + #ARGV[4]) then return {'OK'} end
if not known then
  if #list >= ${MOST_GRANTS} * ID then return {'BAD_ENTRY'} end
  call('HSET', NEEDS, 'a' .. to, list .. from)
end
call('HSET', GRANTS, to .. from, grant)
event(KEYGRANT, to .. from)
return {'OK'}
`,
});

/** ARGV: member. Returns member and request by turns: those that it may answer and has not. */
export const pendingNeedKeys = script({
  name: 'pendingNeedKeys',
  writes: false,
  parts: [needs],
  body: `
local who = ARGV[1]
local refusal = open()
if refusal then return {refusal} end
local answer = {}
local function take(from)
  local request = from ~= who and call('HGET', NEEDS, from)
  if request and not has(answered(from), who) then
    local n = #answer
    answer[n + 1], answer[n + 2] = from, request
  end
end
if who ~= room.owner then
  take(room.owner)
else
  for _, field in ipairs(call('HKEYS', NEEDS)) do
    if #field == ID then take(field) end
  end
end
return {'OK', answer}
`,
});

/** ARGV: member. Returns its request, or nothing. */
export const readNeedKey = script({
  name: 'readNeedKey',
  writes: false,
  parts: [needs],
  body: `
local refusal = open()
if refusal then return {refusal} end
return {'OK', call('HGET', NEEDS, ARGV[1])}
`,
});

/** ARGV: member. Returns granter and grant (its length, itself, the news) by turns. */
export const keyGrants = script({
  name: 'keyGrants',
  writes: false,
  parts: [needs],
  body: `
local to = ARGV[1]
local refusal = open()
if refusal then return {refusal} end
local list, answer = answered(to), {}
for i = 1, #list, ID do
  local from = string.sub(list, i, i + ID - 1)
  answer[#answer + 1] = from
  answer[#answer + 1] = call('HGET', GRANTS, to .. from)
end
return {'OK', answer}
`,
});

/** ARGV: to, offer. Returns nothing more. Atomic: it replaces every earlier one and its acceptance. */
export const putOffer = script({
  name: 'putOffer',
  writes: true,
  parts: [people, needs],
  body: `
local to, offer = ARGV[1], ARGV[2]
local refusal = open()
if refusal then return {refusal} end
if not isMember(to) then return {'BAD_ENTRY'} end
local known = call('HMGET', NEEDS, 'to', 'offer')
if known[1] == to and known[2] == offer then return {'OK'} end
call('HSET', NEEDS, 'to', to, 'offer', offer)
call('HDEL', NEEDS, 'acceptance')
event(OFFER, to)
return {'OK'}
`,
});

/** ARGV: from, acceptance. Returns nothing more. Atomic: it stands with the offer that it accepts. */
export const putAcceptance = script({
  name: 'putAcceptance',
  writes: true,
  parts: [needs],
  body: `
local from, acceptance = ARGV[1], ARGV[2]
local refusal = open()
if refusal then return {refusal} end
local known = call('HMGET', NEEDS, 'to', 'acceptance')
if known[1] ~= from then return {'BAD_ENTRY'} end
if known[2] == acceptance then return {'OK'} end
call('HSET', NEEDS, 'acceptance', acceptance)
event(ACCEPTANCE, from)
return {'OK'}
`,
});

/** Returns owner, to, offer, acceptance or nothing; or nothing at all. */
export const readOffer = script({
  name: 'readOffer',
  writes: false,
  parts: [needs],
  body: `
local refusal = open()
if refusal then return {refusal} end
local known = call('HMGET', NEEDS, 'to', 'offer', 'acceptance')
return {'OK', known[1] and {room.owner, known[1], known[2], known[3]} or false}
`,
});
