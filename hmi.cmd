@echo off
rem hmi.cmd ANYTHING     hmi ANYTHING, in a private environment beside this file (.venv), which is made or repaired first if need be
rem hmi.cmd test [...]   all checks and tests; --long adds the long ones; any other argument goes to pytest, without the checks
rem hmi.cmd bench [...]  the benches: [NAME] [--json]
rem HMI_PYTHON chooses the Python (3.11 to 3.13) that the environment is made from.
setlocal enableextensions disabledelayedexpansion
set "here=%~dp0"
set "venv=%here%.venv"
set "python=%venv%\Scripts\python.exe"
set "lock=requirements.txt"
if /i "%~1"=="test" set "lock=requirements-test.txt"
if /i "%~1"=="bench" set "lock=requirements-test.txt"
rem Test tools that are here stay here.
if exist "%venv%\installed-requirements-test.txt" set "lock=requirements-test.txt"

set "placed="
if exist "%venv%\place" set /p placed=<"%venv%\place"
if not exist "%python%" goto install
if exist "%venv%\unfinished" goto install
if not defined placed goto install
if not %placed%=="%here%" goto install
if not exist "%venv%\installed-%lock%" goto install
fc /b "%here%%lock%" "%venv%\installed-%lock%" >nul 2>&1
if errorlevel 1 goto install
goto start

:install
if not defined placed goto repair
if %placed%=="%here%" goto repair
echo hmi.cmd: the environment was made for another folder; making it anew 1>&2
rmdir /s /q "%venv%"
:repair
set "reinstall="
if exist "%venv%\unfinished" set "reinstall=--reinstall"
if defined reinstall echo hmi.cmd: the last installation broke off; repairing it 1>&2
"%python%" -m pip --version >nul 2>&1
if not errorlevel 1 goto packages
call :find_python
if not defined base (
    echo hmi.cmd: Python 3.11, 3.12 or 3.13 is needed; install it from python.org, or set HMI_PYTHON to its python.exe 1>&2
    exit /b 1
)
echo hmi.cmd: making a private environment in .venv; nothing outside it changes 1>&2
%base% -m venv --clear "%venv%"
if errorlevel 1 exit /b 1

:packages
>"%venv%\unfinished" echo unfinished
>"%venv%\place" echo "%here%"
echo hmi.cmd: installing the Python packages of %lock% into it 1>&2
"%python%" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r "%here%requirements-uv.txt"
if errorlevel 1 goto failed
set "VIRTUAL_ENV=%venv%"
set "UV_PYTHON_DOWNLOADS=never"
if not defined UV_SYSTEM_CERTS set "UV_SYSTEM_CERTS=1"
if not defined UV_DEFAULT_INDEX if defined PIP_INDEX_URL set "UV_DEFAULT_INDEX=%PIP_INDEX_URL%"
"%venv%\Scripts\uv.exe" pip sync --quiet --require-hashes %reinstall% "%here%%lock%"
if errorlevel 1 goto failed
rem The program runs from this folder: no copy of it in the environment that could be older.
"%python%" -c "import os, pathlib, sys; pathlib.Path(sys.prefix, 'Lib', 'site-packages', 'hindsight.pth').write_text(os.path.abspath(sys.argv[1]), 'utf-8')" "%here%."
if errorlevel 1 goto failed
copy /y "%here%%lock%" "%venv%\installed-%lock%" >nul
if errorlevel 1 goto failed
del "%venv%\unfinished"
echo hmi.cmd: ready 1>&2

:start
if /i "%~1"=="test" goto test
if /i "%~1"=="bench" goto bench
"%python%" -m hmi %*
exit /b %errorlevel%

:bench
call :rest %*
cd /d "%here%"
"%python%" tests\bench %rest%
exit /b %errorlevel%

:test
call :rest %*
cd /d "%here%"
set "QT_QPA_PLATFORM=offscreen"
set "bad=0"
if "%~2"=="" goto checks
if "%~2"=="--long" if "%~3"=="" goto checks
goto tests
:checks
"%venv%\Scripts\ruff.exe" check --quiet
if errorlevel 1 set "bad=1"
"%venv%\Scripts\ruff.exe" format --check --quiet
if errorlevel 1 set "bad=1"
"%venv%\Scripts\mypy.exe" --no-error-summary
if errorlevel 1 set "bad=1"
"%venv%\Scripts\lint-imports.exe" --no-cache
if errorlevel 1 set "bad=1"
if "%bad%"=="1" echo a check failed, so this run fails whatever the tests say
:tests
"%python%" -m pytest %rest%
if errorlevel 1 set "bad=1"
exit /b %bad%

:failed
echo hmi.cmd: the Python packages could not be installed; start again when the network is back 1>&2
exit /b 1

:find_python
set "base="
if defined HMI_PYTHON set base="%HMI_PYTHON%"
if defined base exit /b 0
for %%v in (3.13 3.12 3.11) do call :try_python py -%%v
call :try_python python
exit /b 0

:try_python
if defined base exit /b 0
%* -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" >nul 2>&1
if errorlevel 1 exit /b 0
set base=%*
exit /b 0

:rest
rem All arguments but the first.
set "rest="
:rest_next
shift
if "%~1"=="" exit /b 0
if defined rest (set rest=%rest% %1) else (set rest=%1)
goto rest_next
