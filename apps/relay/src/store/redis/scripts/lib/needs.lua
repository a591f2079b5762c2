-- include: lib/room
-- keys: needs, grants
--
-- Requests for a key by their member, who has answered ('a' and the member), and the one offer of the room.

local ID = 22
local function has(list, who)
  for i = 1, #list, ID do
    if string.sub(list, i, i + ID - 1) == who then return true end
  end
  return false
end
local function answered(who)
  return call('HGET', NEEDS, 'a' .. who) or ''
end
local function dropGrants(to)
  local list = answered(to)
  for i = 1, #list, ID do
    call('HDEL', GRANTS, to .. string.sub(list, i, i + ID - 1))
  end
  call('HDEL', NEEDS, 'a' .. to)
end
local function dropNeed(who)
  dropGrants(who)
  call('HDEL', NEEDS, who)
end
-- Answers of somebody who has gone: what was asked is open again.
local function dropAnswers(from)
  for _, field in ipairs(call('HKEYS', NEEDS)) do
    if #field == ID + 1 then
      local list = call('HGET', NEEDS, field)
      if has(list, from) then
        local left = {}
        for i = 1, #list, ID do
          local granter = string.sub(list, i, i + ID - 1)
          if granter ~= from then left[#left + 1] = granter end
        end
        call('HSET', NEEDS, field, table.concat(left))
        call('HDEL', GRANTS, string.sub(field, 2) .. from)
      end
    end
  end
end
-- What was granted was the key of the epoch that has just ended.
local function endGrants()
  for _, field in ipairs(call('HKEYS', NEEDS)) do
    if #field == ID + 1 then
      if call('HGET', NEEDS, field) ~= '' then call('HDEL', NEEDS, string.sub(field, 2)) end
      call('HDEL', NEEDS, field)
    end
  end
  call('UNLINK', GRANTS)
end
local function dropOffer()
  call('HDEL', NEEDS, 'to', 'offer', 'acceptance')
end
local function dropOfferTo(who)
  if call('HGET', NEEDS, 'to') == who then dropOffer() end
end
