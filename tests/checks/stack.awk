# The deepest stack in a call graph as GCC writes it with -fcallgraph-info=su, in octets; `roots` are
# the functions that others may call. What is called through a pointer is what nobody calls by name.

function quoted_behind(key) {
    match($0, key ": \"[^\"]*\"")
    return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 4)
}

function depth(name, callees, count, i, below, most) {
    if (name in depths) return depths[name]
    count = split(calls[name], callees, "\n")
    for (i = 1; i <= count; ++i) {
        below = depth(callees[i])
        if (below > most) most = below
    }
    return depths[name] = frames[name] + most
}

/^node:/ {
    name = quoted_behind("title")
    frames[name] = 0
    if (match($0, /[0-9]+ bytes/)) frames[name] = substr($0, RSTART, RLENGTH) + 0
}

/^edge:/ {
    caller = quoted_behind("sourcename")
    callee = quoted_behind("targetname")
    calls[caller] = calls[caller] callee "\n"
    is_called[callee] = 1
}

END {
    count = split(roots, named, " ")
    for (i = 1; i <= count; ++i) is_called[named[i]] = 1
    for (name in frames)
        if (!(name in is_called)) calls["__indirect_call"] = calls["__indirect_call"] name "\n"
    for (i = 1; i <= count; ++i)
        if (depth(named[i]) > most) most = depth(named[i])
    print most + 0
}
