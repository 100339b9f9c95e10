-- Lists of nodes as they are stored, and sent by workers: [repo, mode, name, mode, name …] as JSON, in names without the
-- repository; a name that is shown differently is [name, shown], and one of another repository [name, shown, repo]. The
-- other half is node-list.ts. A fragment.

-- The list that a text stands for: {name, mode, shown or nil} …
local function read_nodes(json)
  local list, nodes = cjson.decode(json), {}
  local prefix = list[1] .. '#'
  for i = 2, #list, 2 do
    local name, shown, repo = list[i + 1], nil, nil
    if type(name) == 'table' then name, shown, repo = unpack(name) end
    -- Counted things are of no repository.
    if string.sub(name, 1, 1) ~= '#' then name = (repo and repo .. '#' or prefix) .. name end
    nodes[#nodes + 1] = { name, list[i], shown }
  end
  return nodes
end

local function write_nodes(nodes)
  local list = { '' }
  for _, node in ipairs(nodes) do
    local repo, name, value = string.match(node[1], '^([^#]*)#(%a+:(.*))$')
    if list[1] == '' then list[1] = repo end
    list[#list + 1] = node[2]
    if repo == '' then
      list[#list + 1] = node[1]
    elseif repo ~= list[1] then
      list[#list + 1] = { name, node[3] or value, repo }
    else
      list[#list + 1] = node[3] and { name, node[3] } or name
    end
  end
  return cjson.encode(list)
end

-- A node as it is shown: `path:src/a`.
local function shown_node(node)
  local kind, value = string.match(node[1], '#(%a+):(.*)$')
  value = node[3] or value
  return kind .. ':' .. (kind == 'path' and value == '' and '.' or value)
end
