# How the set-up speaks: one line in Chinese and English when something takes time, and a plain end when it cannot go on.

say() { # 中文  English
    printf '· %s · %s\n' "$1" "$2" >&2
}

#: Ends with 2, the exit code of wrong use or set-up everywhere in this system.
give_up() { # 中文  English  [a line to type]...
    printf '✗ %s\n✗ %s\n' "$1" "$2" >&2
    shift 2
    local line
    for line in "$@"; do printf '    %s\n' "$line" >&2; done
    exit 2
}

#: Runs a command with its talk kept in a file; shows the end of it only when the command fails.
quietly() { # command...
    local talk status=0
    talk=$(mktemp)
    "$@" >"$talk" 2>&1 </dev/null || status=$?
    if ((status)); then tail -n 30 "$talk" >&2; fi
    rm -f "$talk"
    return "$status"
}
