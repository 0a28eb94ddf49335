# Installs text2colors for this user on Windows: engine, and the plug-in in every GIMP 3 and GIMP 2.10 found.
# Usage: powershell -ExecutionPolicy Bypass -File install\install.ps1 [--uninstall] [--plugin-only] [--engine COMMAND] [--torch auto|cpu|cuda]
# The steps are install.py's; this finds a Python for them. ASCII only: Windows PowerShell 5 reads a file as ANSI.
$ErrorActionPreference = "Stop"
$script = Join-Path $PSScriptRoot "install.py"
$check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"

# Whether these words start a Python that is new enough.
function Test-Python([string[]] $words) {
    # Windows PowerShell 5 takes a redirected line on stderr for an error, and "Stop" would end here
    $ErrorActionPreference = "Continue"
    $rest = @($words | Select-Object -Skip 1)
    try {
        & $words[0] @rest -c $check 2>$null | Out-Null
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
        $rest = @($words | Select-Object -Skip 1)
        & $words[0] @rest $script @args
        exit $LASTEXITCODE
    }
}
[Console]::Error.WriteLine("Python 3.11 or later is needed. Install it from python.org (for this user is enough), then run this again.")
exit 1
