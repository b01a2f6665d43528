# Debian packages that the tests need: installed where absent and where we may, without starting any of their services.

#: How to become root here: nothing when we are, sudo when it does not ask, "no" otherwise.
_root_by() {
    if ((EUID == 0)); then
        echo
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        echo "sudo -n"
    else
        echo no
    fi
}

_ask_for_packages() { # packages...
    give_up "缺少 Debian 软件包，而此处无权安装（需要 root 或免密 sudo）。请让管理员执行：" \
        "Debian packages are missing and may not be installed from here (root, or sudo without a password). Ask for:" \
        "apt-get install --no-install-recommends $*"
}

_apt() { # words of apt-get...
    # shellcheck disable=SC2086  # the words of _root_by
    $AS_ROOT env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

#: Debian asks this program before it starts a service on installation.  One that is there already is the administrator's.
POLICY=/usr/sbin/policy-rc.d
_forbid_services() {
    [[ ! -e $POLICY ]] || return 0
    # shellcheck disable=SC2086
    printf '#!/bin/sh\n# Placed by ./run while it installs packages.\nexit 101\n' | $AS_ROOT tee "$POLICY" >/dev/null
    # shellcheck disable=SC2086
    $AS_ROOT chmod 755 "$POLICY"
    trap _allow_services EXIT
}

_allow_services() {
    # shellcheck disable=SC2086
    if grep -qs 'Placed by ./run' "$POLICY"; then $AS_ROOT rm -f "$POLICY"; fi
}

install_debian_packages() { # packages...
    local try
    AS_ROOT=$(_root_by)
    if [[ $AS_ROOT == no ]] || ! command -v apt-get >/dev/null; then _ask_for_packages "$@"; fi

    _forbid_services
    # With the lists at hand the first try is enough; with none, or with old ones, the update makes the second one good.
    for try in 1 2 3; do
        if compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null; then
            if ((try < 3)); then
                _apt install --no-install-recommends "$@" >/dev/null 2>&1 </dev/null && break
            else
                quietly _apt install --no-install-recommends "$@" && break
            fi
        fi
        if ((try == 3)); then
            _allow_services
            give_up "软件包没有装上：$*" "These packages could not be installed: $*" "apt-get update && apt-get install $*"
        fi
        say "更新软件包列表" "updating the package lists"
        quietly _apt update || sleep 2
    done
    _allow_services
    trap - EXIT
}

_has_rabbitmq() { compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server' >/dev/null; }
_has_postgresql() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
_has_mariadb() { [[ -x /usr/sbin/mariadbd ]]; }
_has_sshd() { [[ -x /usr/sbin/sshd ]]; }
_has_chromium() { command -v chromium >/dev/null; }
_has_chinese_font() { compgen -G '/usr/share/fonts/truetype/wqy/*' >/dev/null; }
_has_prometheus() { command -v promtool >/dev/null && command -v prometheus >/dev/null; }
_has_libreoffice() { command -v soffice >/dev/null; }
_has_debootstrap() { command -v debootstrap >/dev/null; }

#: Foreign callers of the SOAP service: PHP, node and Java.
_missing_soap_clients() {
    [[ $(php -m 2>/dev/null) == *soap* ]] || printf "%s\n" php-cli php-soap
    command -v npm >/dev/null || printf "%s\n" nodejs npm
    command -v javac >/dev/null || echo openjdk-17-jdk-headless
    command -v wsimport >/dev/null || echo jaxws
}

#: What the tests need and this machine lacks.  A running server that is named stands in for ours.
_missing_for_tests() { # full?
    [[ ${AMQP_URL:-} == amqp* ]] || _has_rabbitmq || echo rabbitmq-server
    [[ ${DATABASE_URL:-} == postgres* ]] || _has_postgresql || echo postgresql
    [[ ${MYSQL_URL:-} == mysql* ]] || _has_mariadb || echo mariadb-server
    _has_sshd || echo openssh-server
    _has_chromium || echo chromium
    _has_chinese_font || echo fonts-wqy-microhei
    _has_prometheus || echo prometheus
    if [[ $1 ]]; then
        _missing_soap_clients
        # Reports are opened in it.
        _has_libreoffice || echo libreoffice-calc-nogui
    fi
    # The image's steps are tried in a root of their own, which only root can make.
    if [[ $1 ]] && ((EUID == 0)); then _has_debootstrap || echo debootstrap; fi
}

set_up_debian() { # full?
    local missing
    mapfile -t missing < <(_missing_for_tests "$1")
    ((${#missing[@]})) || return 0
    say "安装 Debian 软件包：${missing[*]}（约 1–3 分钟；不启动任何系统服务）" \
        "installing Debian packages: ${missing[*]} (1 to 3 minutes; no system service is started)"
    install_debian_packages "${missing[@]}"
    if [[ -d /run/systemd/system && " ${missing[*]} " == *" rabbitmq-server "* ]]; then
        say "下次开机会启动 rabbitmq-server 等服务；不需要可执行 systemctl disable" \
            "they are not running now but will start at the next boot; 'systemctl disable' them if you do not want that"
    fi
    say "Debian 软件包已就绪" "the Debian packages are ready"
}
