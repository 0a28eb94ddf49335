# Installs text2colors for this user on Windows: engine, and plug-in in every GIMP 3 found.
# Usage: powershell -ExecutionPolicy Bypass -File install\install.ps1 [--uninstall] [--plugin-only] [--engine COMMAND] [--torch auto|cpu|cuda]
# The steps are install.py's; this finds a Python for them. Written with care, not tested on Windows.
$ErrorActionPreference = "Stop"
$script = Join-Path $PSScriptRoot "install.py"
$check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"

function Test-Python([string[]] $words) {
    try {
        $program, $rest = $words
        & $program @rest -c $check 2>$null
        return $LASTEXITCODE -eq 0
    } catch {
        return $false
    }
}

$candidates = @()
if ($env:PYTHON) { $candidates += , @($env:PYTHON) }
$candidates += , @("py", "-3")
$candidates += , @("python")
foreach ($words in $candidates) {
    if (Test-Python $words) {
        $program, $rest = $words
        & $program @rest $script @args
        exit $LASTEXITCODE
    }
}
[Console]::Error.WriteLine("Python 3.11 or later is needed. Install it from python.org (for this user is enough), then run this again.")
exit 1
