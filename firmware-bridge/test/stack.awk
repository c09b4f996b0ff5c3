# Reads the call graphs that gcc writes (-fcallgraph-info=su) and prints the bytes of the deepest chain of calls inside the
# library. Calls through a pointer are those of the table in dispatch.c; callbacks of the port come on top.
function field(line, name,    rest) {
  rest = substr(line, index(line, name ": \"") + length(name) + 3)
  return substr(rest, 1, index(rest, "\"") - 1)
}

# Static functions are titled with their file, calls to other files without.
function plain(title) {
  sub(/^.*:/, "", title)
  return title
}

function depth(name,    i, below, deepest) {
  if (name in known) return known[name]
  if (busy[name]) { print "a recursion through " name; exit 1 }
  busy[name] = 1
  for (i = 1; i <= callCount[name]; i++) {
    below = depth(calls[name, i])
    if (below > deepest) deepest = below
  }
  busy[name] = 0
  known[name] = own[name] + deepest
  return known[name]
}

function addCall(from, to) {
  calls[from, ++callCount[from]] = to
}

/^node:/ {
  name = plain(field($0, "title"))
  label = field($0, "label")
  if (match(label, /[0-9]+ bytes/)) own[name] = substr(label, RSTART, RLENGTH) + 0
  if (label ~ /bytes \(dynamic\)/) { print "no bound for " name; exit 1 }
  if (name ~ /^(fwb_)?on_/) handlers[name] = 1
}

/^edge:/ {
  from = plain(field($0, "sourcename"))
  to = plain(field($0, "targetname"))
  if (to != "__indirect_call") addCall(from, to)
}

END {
  for (name in handlers) addCall("fwb_dispatch", name)
  for (name in own) if (depth(name) > most) most = depth(name)
  print (most > 0 ? most : "unknown")
}
