dnl FX_TRY_CFLAG(flag): add flag to FX_CFLAGS where the compiler takes it.
AC_DEFUN([FX_TRY_CFLAG], [
  AC_MSG_CHECKING([whether $CC accepts $1])
  fx_saved_cflags="$CFLAGS"
  CFLAGS="$CFLAGS -Werror $1"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[]], [[]])],
    [AC_MSG_RESULT([yes]); FX_CFLAGS="$FX_CFLAGS $1"],
    [AC_MSG_RESULT([no])])
  CFLAGS="$fx_saved_cflags"
])

dnl FX_TRY_LDFLAG(flag): the same for the linker and FX_LDFLAGS.
AC_DEFUN([FX_TRY_LDFLAG], [
  AC_MSG_CHECKING([whether the linker accepts $1])
  fx_saved_ldflags="$LDFLAGS"
  LDFLAGS="$LDFLAGS $1"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[]], [[]])],
    [AC_MSG_RESULT([yes]); FX_LDFLAGS="$FX_LDFLAGS $1"],
    [AC_MSG_RESULT([no])])
  LDFLAGS="$fx_saved_ldflags"
])
