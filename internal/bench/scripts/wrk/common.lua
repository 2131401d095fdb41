-- What all scripts have in common: ids and visitors at random, checks of answers, and figures as JSON.
local random = io.open("/dev/urandom", "rb")
local seed = 0
for byte in random:read(6):gmatch(".") do seed = seed * 256 + byte:byte() end
random:close()
math.randomseed(seed)

function id()
  return string.format("%08x%08x%08x", math.random(0, 2147483647), math.random(0, 2147483647), math.random(0, 2147483647))
end

function visitor() return "v" .. math.random(0, 999999) end

function post(path, body)
  return wrk.format("POST", path, {["Authorization"] = "Bearer " .. os.getenv("KEY"), ["Content-Type"] = "application/json"}, body)
end

function payment()
  return string.format('{"transactionId":"%s","amount":"29.99","currency":"USD","visitorId":"%s"}', id(), visitor())
end

-- Errors of GraphQL come with status 200, so each script says what a success contains.
local failed = 0
function check(text)
  response = function(status, headers, body)
    if status ~= 200 or not body:find(text, 1, true) or body:find('"errors"', 1, true) then
      failed = failed + 1
      wrk.thread:set("failed", failed)
    end
  end
end

local thread
function setup(t) thread = t; t:set("failed", 0) end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\n{"requests":%f,"mean":%f,"p99":%f,"failed":%d}',
    summary.requests / summary.duration * 1e6, latency.mean / 1000, latency:percentile(99) / 1000,
    thread:get("failed") + errors.connect + errors.read + errors.write + errors.timeout))
end
