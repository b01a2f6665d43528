# The environment in .venv, made from the locks: built anew when Python or the place changed, brought up to date when a
# lock changed, left alone otherwise.  What was installed is remembered by a copy of the locks in .venv/set-up.

VENV=$ROOT/.venv
STAMP=$VENV/set-up

_identity() { # python → the place and the version that an environment belongs to
    printf '%s %s' "$ROOT" "$("$1" -I -S -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
}

_same() { # file in the repository, still as it was when we installed from it?
    [[ -f $STAMP/$1 && $(<"$ROOT/$1") == "$(<"$STAMP/$1")" ]]
}

_environment_stands() {
    [[ -x $VENV/bin/python && -f $STAMP/identity && $(<"$STAMP/identity") == "$(_identity "$VENV/bin/python")" ]] || return 1
    [[ -z ${HUB_PYTHON:-} || $(<"$STAMP/identity") == "$(_identity "$HUB_PYTHON")" ]]
}

_is_ready() { # locks...
    local file
    _environment_stands || return 1
    for file in "$@" requirements-build.lock pyproject.toml; do _same "$file" || return 1; done
}

#: The first Python that is new enough and can make an environment; failing that, the first that is new enough.
_find_python() {
    local candidate usable=
    for candidate in ${HUB_PYTHON:+"$HUB_PYTHON"} python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
        candidate=$(command -v "$candidate") || continue
        "$candidate" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if "$candidate" -I -c 'import venv, ensurepip' 2>/dev/null; then
            echo "$candidate"
            return
        fi
        usable=${usable:-$candidate}
    done
    echo "$usable"
}

_need_python() {
    PYTHON=$(_find_python)
    [[ $PYTHON ]] || give_up "需要 Python 3.11 或更高版本，没有找到。" "Python 3.11 or newer is needed and was not found." \
        "apt-get install python3 python3-venv" "HUB_PYTHON=/path/to/python3.11 ./run …"
    "$PYTHON" -I -c 'import venv, ensurepip' 2>/dev/null && return
    say "安装 python3-venv（约 10 秒）" "installing python3-venv (about 10 seconds)"
    install_debian_packages python3-venv
    "$PYTHON" -I -c 'import venv, ensurepip' 2>/dev/null && return
    give_up "$PYTHON 缺少 venv 模块（ensurepip）。" "$PYTHON lacks the module venv (ensurepip)." "apt-get install python3-venv"
}

#: pip as the site has set it up (its mirrors, certificates and proxies), less what cannot work inside an environment.
_pip() {
    env -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 \
        "$VENV/bin/python" -m pip "$@"
}

_names() { # lock → the names of its distributions
    [[ ! -f $1 ]] || sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' "$1" | sort -u
}

#: What an earlier lock had us install and the present one no longer names.  Whatever a developer added stays.
_remove_what_left_the_lock() { # locks now installed...
    local lock gone
    gone=$(comm -23 <(for lock in "$STAMP"/*.lock; do _names "$lock"; done | sort -u) \
        <(for lock in "$@"; do _names "$lock"; done | sort -u))
    # shellcheck disable=SC2086  # one name a word
    [[ -z $gone ]] || quietly _pip uninstall --yes $gone || true
}

_install() { # locks...
    local lock args=()
    if ! _environment_stands; then
        _need_python
        say "用 $PYTHON 建立 .venv（约 10 秒）" "making .venv with $PYTHON (about 10 seconds)"
        quietly "$PYTHON" -m venv --clear "$VENV" || give_up ".venv 没有建成。" "The environment .venv could not be made."
        mkdir -p "$STAMP"
        _identity "$VENV/bin/python" >"$STAMP/identity"
    fi

    for lock in "$@"; do args+=(-r "$lock"); done
    say "按 $1 安装 $(_names "$1" | wc -l) 个 Python 包（约 1 分钟）" \
        "installing $(_names "$1" | wc -l) Python packages from $1 (about a minute)"
    quietly _pip install --quiet --require-hashes "${args[@]}" || give_up \
        "Python 包没有装上。请检查网络、镜像（pip.conf 或 PIP_INDEX_URL）后再运行一次。" \
        "The Python packages could not be installed. Check the network and the mirror (pip.conf or PIP_INDEX_URL), then run this again." \
        "离线 · offline: pip download -r $1 -r requirements-build.lock -d wheels" "PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels ./run …"
    _remove_what_left_the_lock "$@"

    # The rooms themselves: in place, with what the build lock brought and nothing from an index.
    quietly env PIP_REQUIRE_HASHES=0 "$VENV/bin/python" -m pip install --quiet --no-deps --no-index --no-build-isolation -e "$ROOT" ||
        give_up "hub 没有装进 .venv。" "The hub could not be installed into .venv."
}

set_up_python() { # demo | test
    local want=requirements.lock file
    # The development lock holds the whole of the other one, so the demo runs in the tests' environment too.
    if [[ $1 == test ]] || { [[ -f $STAMP/requirements-dev.lock ]] && _environment_stands; }; then
        want=requirements-dev.lock
    fi
    if _is_ready "$want"; then return; fi

    # One set-up at a time in this place; the descriptor is closed again so that nothing we start keeps the lock.
    exec 9<"$ROOT"
    if command -v flock >/dev/null; then flock 9; fi
    if ! _is_ready "$want"; then
        _install "$want" requirements-build.lock
        rm -f "$STAMP"/*.lock
        for file in "$want" requirements-build.lock pyproject.toml; do cp "$ROOT/$file" "$STAMP/$file"; done
        say "Python 环境已就绪" "the Python environment is ready"
    fi
    exec 9<&-
}
