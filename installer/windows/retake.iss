; The installer for Windows, per user and without administrator rights: ISCC /DVersion=0.0.0 /DFolder=dist\retake /Odist
#ifndef Version
  #error Version is missing: run python -m installer.build
#endif
#ifndef Folder
  #define Folder "..\..\dist\retake"
#endif

[Setup]
AppId={{6C0E7A53-8B0F-4E56-9D2B-6C3A1E9A4F70}
AppName=Retake
AppVersion={#Version}
AppVerName=Retake {#Version}
AppPublisher=The Retake authors
DefaultDirName={localappdata}\Programs\Retake
DefaultGroupName=Retake
DisableProgramGroupPage=yes
DisableDirPage=auto
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
ChangesEnvironment=yes
CloseApplications=yes
Compression=lzma2/max
SolidCompression=yes
LicenseFile=..\..\LICENSE
OutputBaseFilename=retake-{#Version}-windows-setup
SetupIconFile=..\icons\retake.ico
UninstallDisplayIcon={app}\retake-tray.exe
UninstallDisplayName=Retake
WizardStyle=modern

[Tasks]
Name: "desktopicon"; Description: "A shortcut on the desktop"; Flags: unchecked
Name: "autostart"; Description: "Start Retake when you log in"; Flags: unchecked
Name: "path"; Description: "Have the commands retake and retake-send in every terminal"; Flags: unchecked

[InstallDelete]
; what an older version had and this one has not
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "{#Folder}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{group}\Retake"; Filename: "{app}\retake-tray.exe"
Name: "{userdesktop}\Retake"; Filename: "{app}\retake-tray.exe"; Tasks: desktopicon

[Registry]
; the value that the switch in Retake's settings reads and writes
Root: HKCU; Subkey: "Software\Microsoft\Windows\CurrentVersion\Run"; ValueType: string; ValueName: "retake"; ValueData: """{app}\retake-tray.exe"""; Tasks: autostart
Root: HKCU; Subkey: "Software\Microsoft\Windows\CurrentVersion\Run"; ValueName: "retake"; Flags: uninsdeletevalue dontcreatekey
Root: HKCU; Subkey: "Environment"; ValueType: expandsz; ValueName: "Path"; ValueData: "{olddata};{app}"; Tasks: path; Check: IsNotOnPath

[Run]
Filename: "{app}\retake-tray.exe"; Description: "Start Retake"; Flags: nowait postinstall skipifsilent

[UninstallRun]
Filename: "{app}\retake-send.exe"; Parameters: "quit"; Flags: runhidden; RunOnceId: "QuitDaemon"

[Code]
function IsNotOnPath(): Boolean;
var
  Path: string;
begin
  if not RegQueryStringValue(HKCU, 'Environment', 'Path', Path) then
    Path := '';
  Result := Pos(';' + Uppercase(ExpandConstant('{app}')) + ';', ';' + Uppercase(Path) + ';') = 0;
end;

procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Path, Ours: string;
  Start: Integer;
begin
  if (Step <> usPostUninstall) or not RegQueryStringValue(HKCU, 'Environment', 'Path', Path) then
    exit;
  Ours := ';' + ExpandConstant('{app}');
  { a whole entry: another folder's name may begin like ours }
  Start := Pos(Uppercase(Ours) + ';', Uppercase(Path) + ';');
  if Start > 0 then
  begin
    Delete(Path, Start, Length(Ours));
    RegWriteExpandStringValue(HKCU, 'Environment', 'Path', Path);
  end;
end;
