-- include: lib/rotations
-- keys: farewells
--
-- What the departed are served, kept apart from the log because it outlives it (docs/protocol.md section 4): the entry
-- that ended their membership, by member, and by "*" of a closed room.

local function departureNotice(who)
  return call('HGET', FAREWELLS, who) or call('HGET', FAREWELLS, '*')
end
local function keepDepartureNotice(who, entry, payload)
  call('HSET', FAREWELLS, who, at(entry.g, entry.s) .. record(entry.kind, entry.sender, '', payload))
end
local function depart(who, known, how)
  known.st, known.ge, known.gh, known.gl = how, room.epoch, room.head, room.len
  keep(who, known)
  dropWraps(who)
  dropNeed(who)
  dropOfferTo(who)
  publishRole(who, 'departed')
end
-- A leaver is a member again; false: it is not one that is leaving. It asked in a log that had lost its
-- own ownership, and whoever asks first would keep that from coming back.
local function stay(who)
  local known = member(who)
  if not known or known.st ~= LEAVING then return false end
  known.st, known.ge, known.gh, known.gl = MEMBER, nil, nil, nil
  keep(who, known)
  call('HDEL', FAREWELLS, who)
  return true
end
