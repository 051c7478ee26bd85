# To be sourced.

find_python() { # the interpreter of version $1, from PATH or from pyenv; nothing where there is none
  if command -v "python$1" >/dev/null && "python$1" -c '' 2>/dev/null; then
    command -v "python$1"
  else
    compgen -G "${PYENV_ROOT:-$pyenv_home}/versions/$1.*/bin/python" | tail -n 1 || true
  fi
}
pyenv_home=$HOME/.pyenv
