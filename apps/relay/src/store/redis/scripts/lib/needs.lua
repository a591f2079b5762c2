-- include: lib/room
-- keys: needs, grants
--
-- Requests for a key by their member, who has answered ('a' and the member), and the one offer of the room.

local ID = 22
local function answeredBy(who)
  return call('HGET', NEEDS, 'a' .. who)
end
local function dropGrant(to)
  local from = answeredBy(to)
  if from then call('HDEL', GRANTS, to .. from) end
  call('HDEL', NEEDS, 'a' .. to)
end
local function dropNeed(who)
  dropGrant(who)
  call('HDEL', NEEDS, who)
end
-- Answers of somebody who has gone: what was asked is open again.
local function dropAnswers(from)
  for _, field in ipairs(call('HKEYS', NEEDS)) do
    if #field == ID + 1 and call('HGET', NEEDS, field) == from then dropGrant(string.sub(field, 2)) end
  end
end
-- What was granted was the key of the epoch that has just ended.
local function endGrants()
  for _, field in ipairs(call('HKEYS', NEEDS)) do
    if #field == ID + 1 then call('HDEL', NEEDS, field, string.sub(field, 2)) end
  end
  call('UNLINK', GRANTS)
end
local function dropOffer()
  call('HDEL', NEEDS, 'to', 'offer', 'acceptance')
end
local function dropOfferTo(who)
  if call('HGET', NEEDS, 'to') == who then dropOffer() end
end
